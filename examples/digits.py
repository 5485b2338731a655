"""Trains a small convolutional network on scikit-learn's 8x8 handwritten digits.

    python examples/digits.py                      with torch installed
    python -m torchish examples/digits.py          the same file on torchish

Prints a line per epoch and draws the learning curve.
"""

import argparse
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

TEST_SIZE = 360


def make_datasets():
    """The 1,797 images in a fixed order, scaled to [0, 1] and cut into a training and a test set."""
    digits = load_digits()
    order = torch.randperm(len(digits.target), generator=torch.Generator().manual_seed(0))
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1)[order] / 16
    labels = torch.tensor(digits.target)[order]
    return TensorDataset(images[TEST_SIZE:], labels[TEST_SIZE:]), TensorDataset(images[:TEST_SIZE], labels[:TEST_SIZE])


def make_model():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(32 * 2 * 2, 10),
    )


def train(model, loader, optimizer):
    """One pass over the training set; returns the mean loss of its samples."""
    model.train()
    total = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    correct = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return correct / len(loader.dataset)


def plot(losses, accuracies, path):
    epochs = range(1, len(losses) + 1)
    figure, left = plt.subplots(figsize=(7, 4))
    right = left.twinx()
    left.plot(epochs, losses, color="tab:blue")
    right.plot(epochs, accuracies, color="tab:orange")
    left.set_xlabel("epoch")
    left.set_ylabel("training loss", color="tab:blue")
    right.set_ylabel("test accuracy", color="tab:orange")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="digits.png", help="where to draw the learning curve")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    training_set, test_set = make_datasets()
    training_loader = DataLoader(training_set, batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=len(test_set))
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)

    losses, accuracies = [], []
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        losses.append(train(model, training_loader, optimizer))
        accuracies.append(accuracy(model, test_loader))
        schedule.step()
        seconds = time.perf_counter() - start
        print(f"epoch {epoch:2d}  train loss {losses[-1]:.5f}  test accuracy {accuracies[-1]:.2%}  {seconds:.2f} s", flush=True)

    plot(losses, accuracies, args.out)
    print(f"learning curve: {args.out}")


if __name__ == "__main__":
    main()
