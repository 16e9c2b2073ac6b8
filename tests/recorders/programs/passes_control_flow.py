"""Fates by construction: the runtime's inlining, lowering and placing, and passes over functions and branches."""

import tensorflow as tf
from passes_construction import NUMBER, X, constant, function

raw = tf.raw_ops


@tf.function
def doubled(x):
    return raw.Mul(x=raw.Softmax(logits=x, name="inner"), y=constant(2.0, "two"), name="product")


@function(X)
def call(x):
    """A call went into what computes its value; each op of the body into its copy, the argument into what was passed.

    PartitionedCall inlined by runtime into PartitionedCall/product
    doubled::x inlined by runtime into x
    doubled::inner inlined by runtime into PartitionedCall/inner
    doubled::two inlined by runtime into PartitionedCall/two
    doubled::product inlined by runtime into PartitionedCall/product
    doubled::Identity inlined by runtime into PartitionedCall/product
    PartitionedCall/Identity removed by model_pruner 1 into PartitionedCall/product
    Func/PartitionedCall/input/_* removed by model_pruner 1 into x
    Func/PartitionedCall/output/_* removed by model_pruner 1 into PartitionedCall/product
    Func/PartitionedCall/output_control_node/_* removed by model_pruner 1 into -
    Identity removed by model_pruner 1 into result
    PartitionedCall/product from PartitionedCall/product, PartitionedCall, doubled::product, doubled::Identity
    """
    return raw.MatMul(a=doubled(x), b=x, name="result")


@function(X)
def two_calls(x):
    """Both copies of the constant are one in the end.

    PartitionedCall inlined by runtime into PartitionedCall/product
    PartitionedCall_1 inlined by runtime into PartitionedCall_1/product
    PartitionedCall_1/two merged by common_subgraph_elimination 1 into PartitionedCall/two
    Others are Identity ops.
    """
    return raw.MatMul(a=doubled(x), b=doubled(raw.Exp(x=x, name="exp")), name="result")


@function(X, NUMBER)
def loop(x, n):
    """A call in a loop: the loop went into the op that gives its value, the call into what computes its own.

    loop inlined by runtime into loop/exit/_*
    loop_body::loop/add inlined by runtime into loop/body/_*/loop/add
    loop_body::loop/PartitionedCall inlined by runtime into loop/body/_*/loop/PartitionedCall/product
    loop_cond::loop/Less inlined by runtime into loop/cond/_*/loop/Less
    doubled::inner inlined by runtime into loop/body/_*/loop/PartitionedCall/inner
    doubled::x inlined by runtime into loop/x_switch/_*
    loop/body/_*/loop/add_1/y merged by common_subgraph_elimination 1 into loop/body/_*/loop/add/y
    Others are the machinery of a loop.
    """
    return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, doubled(y)), (0, x), name="loop")[1]


@function(X)
def branch(x):
    """A branch that is chosen at run time: both sides stay, and a Merge gives the value.

    branch inlined by runtime into branch/output/_*
    branch_true::branch/PartitionedCall inlined by runtime into branch/then/_*/branch/PartitionedCall/product
    branch_false::branch/negative inlined by runtime into branch/else/_*/branch/negative
    doubled::product inlined by runtime into branch/then/_*/branch/PartitionedCall/product
    Others are the machinery of a branch.
    """
    positive = raw.Greater(x=x[0, 0], y=0.5, name="positive")
    return tf.cond(positive, lambda: doubled(x), lambda: raw.Neg(x=x, name="negative"), name="branch")


@function(X, NUMBER)
def cases(x, n):
    """A switch of three cases.

    cases/indexed_case inlined by runtime into cases/indexed_case/merge/_*
    cases_indexed_case_branch1::cases/indexed_case/negative inlined by runtime into cases/*/branch1/*/negative
    doubled::product inlined by runtime into cases/indexed_case/branch0/_*/PartitionedCall/product
    Others are the machinery of a branch.
    """
    return tf.switch_case(n, [lambda: doubled(x), lambda: raw.Neg(x=x, name="negative"), lambda: x], name="cases")


@function(X)
def known_branch(x):
    """A branch whose predicate is constant: constant_folding finds out, loop_optimizer takes the other side away.

    one folded by constant_folding 1 into -
    half folded by constant_folding 1 into -
    positive folded by constant_folding 1 into -
    branch inlined by runtime into branch/then/_*/branch/PartitionedCall/product
    branch/output/_* removed by loop_optimizer 1 into branch/then/_*/branch/PartitionedCall/product
    branch/else/_*/branch/negative removed by loop_optimizer 1 into -
    branch_false::branch/negative inlined by runtime into -
    doubled::x inlined by runtime into x
    Others are the machinery of a branch.
    """
    positive = raw.Greater(x=constant(1.0, "one"), y=constant(0.5, "half"), name="positive")
    return tf.cond(positive, lambda: doubled(x), lambda: raw.Neg(x=x, name="negative"), name="branch")


@function(X)
def other_known_branch(x):
    """The same with the other side.

    positive folded by constant_folding 1 into -
    branch inlined by runtime into branch/else/_*/branch/negative
    branch/output/_* removed by loop_optimizer 1 into branch/else/_*/branch/negative
    branch/then/_*/branch/exp removed by loop_optimizer 1 into -
    Others are the machinery of a branch.
    """
    positive = raw.Greater(x=constant(0.0, "zero"), y=constant(0.5, "half"), name="positive")
    true, false = lambda: raw.Exp(x=x, name="exp"), lambda: raw.Neg(x=x, name="negative")
    return raw.Softmax(logits=tf.cond(positive, true, false, name="branch"), name="softmax")


@function(X)
def placed(x):
    """An op that asks for a device that is not there is placed elsewhere.

    first moved by runtime
    Identity removed by model_pruner 1 into softmax
    """
    with tf.device("/device:TPU:7"):
        first = raw.MatMul(a=x, b=x, name="first")
    return raw.Softmax(logits=first, name="softmax")


noinline = tf.function(
    lambda x, y: raw.Mul(x=raw.Softmax(logits=x, name="inner"), y=raw.Exp(x=y, name="exp"), name="product"),
    experimental_attributes={"_noinline": True},
)


@function(X)
def specialized(x):
    """A call that must not be inlined gets a copy of its function with the constant that it passes.

    two removed by function_optimizer 1 into -
    PartitionedCall changed by function_optimizer 1
    Identity removed by model_pruner 1 into result
    Others are in the function.
    """
    return raw.MatMul(a=noinline(x, constant(2.0, "two")), b=x, name="result")


@function(X)
def specialized_twice(x):
    """Of two calls with constants each gets a copy of its own.

    two removed by function_optimizer 1 into -
    three removed by function_optimizer 1 into -
    PartitionedCall changed by function_optimizer 1
    PartitionedCall_1 changed by function_optimizer 1
    Identity removed by model_pruner 1 into result
    Others are in the function.
    """
    return raw.MatMul(a=noinline(x, constant(2.0, "two")), b=noinline(x, constant(3.0, "three")), name="result")


@function(X)
def equal_calls(x):
    """Of two equal calls that stay calls one is merged into the other: that is no inlining.

    PartitionedCall_1 merged by common_subgraph_elimination 1 into PartitionedCall
    Identity removed by model_pruner 1 into result
    Others are in the function.
    """
    return raw.MatMul(a=noinline(x, x), b=noinline(x, x), name="result")


@tf.function(experimental_attributes={"api_implements": "one", "api_preferred_device": "CPU", "_noinline": True})
def on_cpu(x):
    return raw.Softmax(logits=raw.MatMul(a=x, b=x, name="cpu_product"), name="cpu_softmax")


@tf.function(experimental_attributes={"api_implements": "one", "api_preferred_device": "GPU", "_noinline": True})
def on_gpu(x):
    return raw.Softmax(logits=raw.MatMul(a=x, b=x, name="gpu_product"), name="gpu_softmax")


@function(X)
def implementations(x):
    """Of two functions that implement one thing the one for the device at hand is called.

    PartitionedCall changed by implementation_selector 1
    Identity removed by model_pruner 1 into result
    on_cpu::cpu_product kept into on_cpu::cpu_product
    Others are in the functions.
    """
    on_cpu.get_concrete_function(X).add_to_graph()
    return raw.MatMul(a=on_gpu(x), b=x, name="result")


@function(X, debug_stripper=True)
def stripped(x):
    """debug_stripper, switched on, makes an Identity of a check; tf.function waits for a check by a NoOp.

    checked changed by debug_stripper 1
    NoOp removed by dependency_optimizer 1 into -
    Identity removed by dependency_optimizer 1 into product
    """
    checked = raw.CheckNumerics(tensor=raw.Softmax(logits=x, name="softmax"), message="no", name="checked")
    return raw.MatMul(a=checked, b=x, name="product")
