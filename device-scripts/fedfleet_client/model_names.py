"""Names that the command line needs before PyTorch is loaded."""

MODEL_NAMES = ("Net", "FedAvgNet", "ResNet8", "ResNet18")
# How the head of a model sees the feature.
PLAIN = "plain"
NORMALISED = "l2-normalised"
FEATURE_NAMES = (PLAIN, NORMALISED)
OPTIMIZER_NAMES = ("sgd", "adam", "rmsprop")
