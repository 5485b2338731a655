"""Writes recorded_samplers.npz, real torch's outputs for sampler_cases.py: run `python tests/random/record_samplers.py` where torch is installed."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sampler_cases import cases, plain, torch_sequel

RECORDED = Path(__file__).with_name("recorded_samplers.npz")


def main() -> None:
    """Draw every case at every size from seed = size and store values, sequels and two state snapshots."""
    out = {"torch_version": np.array(torch.__version__)}
    generator = torch.Generator()
    for case in cases():
        values, sequels = [], []
        for n in case.sizes:
            generator.manual_seed(n)
            values.append(plain(case.theirs(torch, generator, n)))
            sequels.append(torch_sequel(torch, generator))
        out[f"{case.name}/values"] = np.concatenate([v.ravel() for v in values])
        out[f"{case.name}/sequels"] = np.stack(sequels)
    generator.manual_seed(5)
    out["state/seeded"] = generator.get_state().numpy()
    torch.randn(5, generator=generator)
    out["state/after_five_normals"] = generator.get_state().numpy()
    np.savez_compressed(RECORDED, **out)


if __name__ == "__main__":
    main()
