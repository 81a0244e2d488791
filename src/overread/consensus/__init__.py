"""What the truth most likely is, and how reliable each reader."""

from overread.consensus.dawid_skene import dawid_skene
from overread.consensus.hierarchical import hierarchical
from overread.consensus.majority import majority
from overread.consensus.one_coin import one_coin
from overread.consensus.result import Consensus
from overread.consensus.votes import SoftVotes

__all__ = ["Consensus", "SoftVotes", "dawid_skene", "hierarchical", "majority", "one_coin"]
