"""utils.data against the torch that is installed: the recorded cases again, and loaders made at random."""

import random

import loader_cases
import pytest

torch = pytest.importorskip("torch")

import torchish

# torch forks its workers, which is unsafe beside JAX's threads; the recorded results cover those cases.
FORKLESS = [name for name in loader_cases.CASES if "worker" not in name]


@pytest.mark.parametrize("name", FORKLESS)
def test_gives_what_torch_gives(name):
    assert loader_cases.run(name, torchish) == loader_cases.run(name, torch)


def loaded(module, seed: int):
    """Two passes over a loader whose options follow from the seed, and a draw after them."""
    choose = random.Random(seed)
    size = choose.randint(1, 70)
    generator = module.Generator().manual_seed(seed) if choose.random() < 0.5 else None
    dataset = loader_cases.table(module, size)
    if choose.random() < 0.5:
        dataset, _ = module.utils.data.random_split(dataset, [max(size - 3, 1), size - max(size - 3, 1)], generator=module.Generator().manual_seed(1))
    options = {"batch_size": choose.choice([1, 2, 7, 32, None]), "shuffle": choose.random() < 0.7, "generator": generator}
    if options["batch_size"] is not None:
        options["drop_last"] = choose.random() < 0.5
    module.manual_seed(seed)
    loader = module.utils.data.DataLoader(dataset, **options)
    return loader_cases.plain([list(loader), list(loader), len(loader), module.randint(0, 1000, (2,), generator=generator)], module)


@pytest.mark.parametrize("seed", range(30))
def test_a_random_loader_gives_what_torchs_gives(seed):
    assert loaded(torchish, seed) == loaded(torch, seed)
