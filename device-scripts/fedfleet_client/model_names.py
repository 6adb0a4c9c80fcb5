"""Names that the command line needs before PyTorch is loaded."""

MODEL_NAMES = ("Net", "FedAvgNet", "ResNet8", "ResNet18")
OPTIMIZER_NAMES = ("sgd", "adam", "rmsprop")
