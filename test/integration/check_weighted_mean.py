"""Checks what clients got back against numpy's weighted mean of what they had answered, to float32 rounding.

Usage: check_weighted_mean.py ROUNDS FOLDER:EXAMPLES …
"""

import sys

import numpy as np


def arrays(folder, name, turn):
    with np.load(f"{folder}/{name}-{turn}.npz") as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]


def main() -> None:
    rounds = int(sys.argv[1])
    clients = [(folder, int(n)) for folder, n in (arg.rsplit(":", 1) for arg in sys.argv[2:])]
    total = sum(n for _, n in clients)
    for turn in range(1, rounds + 1):
        answers = [(arrays(folder, "answered", turn), n) for folder, n in clients]
        # The next round's weights; after the last round, what was sent out to be evaluated.
        names = ("received", turn + 1) if turn < rounds else ("evaluated", turn)
        for folder, _ in clients:
            got = arrays(folder, *names)
            assert len(got) == len(answers[0][0])
            for i, tensor in enumerate(got):
                mean = sum(a[i].astype(np.float64) * n for a, n in answers) / total
                assert tensor.dtype == np.float32, tensor.dtype
                np.testing.assert_allclose(tensor, mean.astype(np.float32), rtol=1.2e-7, atol=1e-9)
                assert not np.array_equal(tensor, answers[0][0][i]), "the mean is one client's own answer"
    print("equal")


if __name__ == "__main__":
    main()
