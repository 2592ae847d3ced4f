"""Training: data and a config to a model package. Only this part and phantom import torch."""
