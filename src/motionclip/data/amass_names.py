"""Names of AMASS: its sub-data sets under old and new names, its published split, one key per sequence.

Files are called ``CMU/01/01_01_poses.npz`` (SMPL+H) or ``CMU/01/01_01_stageii.npz`` (SMPL-X, where blanks have
become underscores); BABEL names them ``CMU/CMU/01/01_01_poses.npz`` and HumanML3D ``CMU/01/01_01_poses.npy``.

Sources: https://amass.is.tue.mpg.de, the split in https://github.com/nghorbani/amass (prepare_data.py), old folder
names in https://github.com/EricGuo5513/HumanML3D, archive names in https://github.com/abhinanda-punnakkal/BABEL.
"""

from __future__ import annotations

import re
from pathlib import PurePath

#: The sub-data sets by their present names; the first fifteen are those of the paper.
SUBSETS = (
    *("ACCAD", "BMLrub", "CMU", "EKUT", "Eyes_Japan_Dataset", "HDM05", "HumanEva", "KIT", "MoSh", "PosePrior"),
    *("SFU", "SSM", "TCDHands", "TotalCapture", "Transitions"),
    *("BMLhandball", "BMLmovi", "CNRS", "DanceDB", "DFaust", "GRAB", "HUMAN4D", "MOYO", "SOMA", "WEIZMANN"),
)

#: The published split; all other sub-data sets are for training.
VAL = frozenset({"HumanEva", "HDM05", "SFU", "MoSh"})
TEST = frozenset({"Transitions", "SSM"})

_OLD_NAMES = {
    "BioMotionLab_NTroje": "BMLrub",
    "DFaust_67": "DFaust",
    "MPI_HDM05": "HDM05",
    "MPI_Limits": "PosePrior",
    "MPI_mosh": "MoSh",
    "SSM_synced": "SSM",
    "TCD_handMocap": "TCDHands",
    "Transitions_mocap": "Transitions",
}


def _plain(name: str) -> str:
    """Archives and folders differ in case and underscores only: ``EyesJapanDataset``, ``Eyes_Japan_Dataset``."""
    return name.replace("_", "").lower()


_BY_PLAIN_NAME = {_plain(name): name for name in SUBSETS} | {_plain(old): new for old, new in _OLD_NAMES.items()}


def sequence_key(path: PurePath) -> str | None:
    """One name for a sequence, however its file is called; None where no folder of it is a sub-data set.

    >>> sequence_key(PurePath("EyesJapanDataset/Eyes_Japan_Dataset/aita/turn-03-look at-aita_poses.npz"))
    'Eyes_Japan_Dataset/aita/turn-03-look_at-aita'
    """
    *folders, _ = path.parts
    subsets = [_BY_PLAIN_NAME.get(_plain(folder)) for folder in folders]
    for index in reversed(range(len(subsets))):
        subset = subsets[index]
        if subset is not None:
            rest = "/".join([*folders[index + 1 :], re.sub(r"_(poses|stageii)$", "", path.stem)])
            return f"{subset}/{re.sub('[ _]+', '_', rest)}"
    return None


def published_split(key: str) -> str:
    """``train``, ``val`` or ``test`` of a sequence by its sub-data set."""
    subset = key.split("/")[0]
    return "val" if subset in VAL else "test" if subset in TEST else "train"
