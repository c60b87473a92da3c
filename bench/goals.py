"""What each row of the tables is to reach."""

LIMIT = 1.0  # by hand / gradtape: as fast as the step written by hand

SPEED = {  # libtorch / gradtape, at least; by hand / gradtape, at least
    "chain 1000 forward+backward": (75, None),
    "chain 1000 without gradient": (36, None),
    "MLP 2-8-1 B4": (65, None),
    "MLP 4-16-16-1 B32": (23, None),
    "MLP 784-128-10 B64": (2.1, LIMIT),
    "MLP 784-512-512-10 B128": (1.38, LIMIT),
    "MLP 1024-4096-1024 B256": (1.22, LIMIT),
    "sum(sigmoid(a*b+a)) 1M": (1.6, None),
    "sum(sigmoid(a*b+a)) 1M, map": (2.8, None),
    "CNN 32-64-128 B64 Adam": (2.0, None),
    "LSTM 64-128 T50 B32": (2.5, None),
    "Transformer C256 T128 B8": (1.3, None),
    "PINN 1-32-32-1 second order": (11, None),
    "exp 1M": (2.5, None),
    "tanh 1M": (6, None),
    "sigmoid 1M": (2.2, None),
    "add 1M": (1.1, None),
    "add row 1M": (1.0, None),
    "add row of 3 1M": (1.0, None),
    "add transposed 1M": (1.0, None),
    "sum 1M": (1.0, None),
    "sum axis 0 1M": (1.0, None),
    "sum axis 1 1M": (1.0, None),
    "softmax 1M": (1.5, None),
    "transposed copy 1M": (1.5, None),
}

GAIN = {  # one thread / two threads, at least
    "MLP 1024-4096-1024 B256": 1.7,
    "CNN 32-64-128 B64 Adam": 1.7,
    "Transformer C256 T128 B8": 1.7,
    "MLP 2-8-1 B4": 1.0,
    "MLP 4-16-16-1 B32": 1.0,
}

COMPILE_SECONDS = 2  # all below these
START_MS = 15
START_MIB = 20
LIBRARY_MB = 10
MEMORY_WORKLOAD = "Transformer C256 T128 B8"  # at most what libtorch takes


def met(value, goal):
    """Whether a ratio, to the two places that are printed, is its goal or above."""
    return round(value, 2) >= goal
