"""CaffeNet's definition without training, as models/bvlc_reference_caffenet/deploy.prototxt of BVLC/caffe has it."""

_HEAD = 'name: "CaffeNet" input: "data" input_shape { dim: 1 dim: 3 dim: 227 dim: 227 }'
_LRN = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
_POOL = "pooling_param { pool: MAX kernel_size: 3 stride: 2 }"
_CHAIN = [
    ("conv1", "Convolution", "data", "convolution_param { num_output: 96 kernel_size: 11 stride: 4 }"),
    ("relu1", "ReLU", "conv1", ""),
    ("pool1", "Pooling", "conv1", _POOL),
    ("norm1", "LRN", "pool1", _LRN),
    ("conv2", "Convolution", "norm1", "convolution_param { num_output: 256 pad: 2 kernel_size: 5 group: 2 }"),
    ("relu2", "ReLU", "conv2", ""),
    ("pool2", "Pooling", "conv2", _POOL),
    ("norm2", "LRN", "pool2", _LRN),
    ("conv3", "Convolution", "norm2", "convolution_param { num_output: 384 pad: 1 kernel_size: 3 }"),
    ("relu3", "ReLU", "conv3", ""),
    ("conv4", "Convolution", "conv3", "convolution_param { num_output: 384 pad: 1 kernel_size: 3 group: 2 }"),
    ("relu4", "ReLU", "conv4", ""),
    ("conv5", "Convolution", "conv4", "convolution_param { num_output: 256 pad: 1 kernel_size: 3 group: 2 }"),
    ("relu5", "ReLU", "conv5", ""),
    ("pool5", "Pooling", "conv5", _POOL),
    ("fc6", "InnerProduct", "pool5", "inner_product_param { num_output: 4096 }"),
    ("relu6", "ReLU", "fc6", ""),
    ("drop6", "Dropout", "fc6", "dropout_param { dropout_ratio: 0.5 }"),
    ("fc7", "InnerProduct", "fc6", "inner_product_param { num_output: 4096 }"),
    ("relu7", "ReLU", "fc7", ""),
    ("drop7", "Dropout", "fc7", "dropout_param { dropout_ratio: 0.5 }"),
    ("fc8", "InnerProduct", "fc7", "inner_product_param { num_output: 1000 }"),
]
_IN_PLACE = ("ReLU", "Dropout")

DEPLOY = "\n".join(
    [_HEAD]
    + [
        f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{bottom if kind in _IN_PLACE else name}" '
        f"{options} }}"
        for name, kind, bottom, options in _CHAIN
    ]
)

BLOBS = {
    "conv1": "relu1", "pool1": "pool1", "norm1": "norm1", "conv2": "relu2", "pool2": "pool2", "norm2": "norm2",
    "conv3": "relu3", "conv4": "relu4", "conv5": "relu5", "pool5": "pool5", "fc6": "relu6", "fc7": "relu7",
    "fc8": "fc8",
}  # fmt: skip
"""By Caffe's blob: the layer that is the last to write it."""
