"""A whole training run in seconds: the first test to run after a change. Losses are torch's own, recorded with the same seed."""
from __future__ import annotations

import pytest

import torchish as torch
from torchish import nn
from torchish.nn import functional as F
from torchish.utils.data import DataLoader, TensorDataset

# What torch 2.13 prints for `train` on the CPU.
TORCH_LOSSES = [0.52116, 0.29949, 0.20572, 0.19886, 0.17047, 0.1587, 0.13849, 0.14047, 0.12458, 0.11563, 0.11138, 0.1306]


def make_data() -> TensorDataset:
    """Points of the plane, labelled by whether they lie inside a circle."""
    points = torch.rand(512, 2) * 2 - 1
    return TensorDataset(points, (points.square().sum(1) < 0.6).long())


def train(epochs: int = 12) -> tuple[nn.Module, list[float]]:
    """A small network after some epochs, and the mean loss of each."""
    torch.manual_seed(0)
    data = make_data()
    net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for points, labels in DataLoader(data, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(points), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        schedule.step()
        losses.append(total / len(data))
    return net, losses


def test_a_network_learns_with_torchs_losses():
    net, losses = train()
    assert losses == pytest.approx(TORCH_LOSSES, rel=1e-3)
    net.eval()
    points, labels = make_data()[:]
    with torch.no_grad():
        assert (net(points).argmax(1) == labels).float().mean().item() > 0.95
