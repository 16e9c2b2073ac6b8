"""Which op types may not be merged or folded because running them is more than computing their outputs."""

from __future__ import annotations

import functools
import re

CONTROL_FLOW = frozenset(
    {
        *("Switch", "RefSwitch", "_SwitchN", "Merge", "RefMerge", "Enter", "RefEnter", "Exit", "RefExit"),
        *("NextIteration", "RefNextIteration", "LoopCond", "ControlTrigger"),
    }
)

_STATEFUL = re.compile(
    r"""
    ^_(Arg|DeviceArg|Retval|DeviceRetval|Recv|Send|Host|If|While|Var|ReadVar|Xla|TPU|Nccl|Scoped|Parallel)
    | ^(If|While|RiscWhile|Case|Print|PrintV2|Assert|Empty|Timestamp|Send|Recv|Sleep.*|CheckNumerics(V2)?)$
    | ^(Multinomial|Skipgram|NegTrain|RecordInput|DeepCopy|GuaranteeConst|DebugIdentityV[23]|DumpTensor|ImportEvent)$
    | ^(FakeParam|Placeholder|PlaceholderV2|PlaceholderWithDefault|NonDeterministicInts|VarIsInitializedOp)$
    | ^(?!Stateless).*Random | ^Stateful | StatelessRandomGetAlg | TruncatedNormal$ | SampleDistorted | Sampler$
    | Variable(?!Quality) | Resource | Handle | Iterator | Dataset | Queue | Stack(V2|Push|Pop|Close) | ^Stack$
    | TensorArray | Barrier | Mutex | Reader | Summary | PyFunc | Collective | AllToAll | CrossReplica | Nccl
    | ^Save | Restore | LookupTable | HashTable | DenseHash | InitializeTable | TensorsMap | Accumulator
    | ^Assign | Infeed | Outfeed | TPU | Xla | Cudnn | Session | Rpc | BoostedTrees(?!Bucketize) | WriteFile
    | Stage$ | Unstage | ^(Stage|Map|OrderedMap)(Peek|Size|Clear|Incomplete) | Seed | Rng | Dedup | PartitionedCall
    | RemoteCall | MemoryCache | Checkpoint | ThreadPool | Ensemble | StatsAggregator | Distributed
    """,
    re.VERBOSE,
)

_STATELESS = re.compile(r"^Stateless(?!RandomGetAlg)|^(RandomGammaGrad|RandomIndexShuffle)$")


@functools.cache
def is_stateful(op_type: str) -> bool:
    """Whether TensorFlow's registry marks the op as stateful, judged by its name; a user's own op passes for not so."""
    return bool(_STATEFUL.search(op_type)) and not _STATELESS.search(op_type)
