# ruff: noqa: RUF001
"""Joint names in scripts without Latin letters, as the English words that `joint_names.py` understands."""

from __future__ import annotations

import re

# Japanese (MMD) and Chinese, with the English word of each; what is part of a longer word stands behind it. A 足 is a
# leg in Japanese.
_HAN = (
    "左=left 右=right 下半身=pelvis 上半身=spine センター=center 手首=wrist 手腕=wrist 足首=ankle 脚踝=ankle "
    "つま先=toe 足先=toe 爪先=toe 脚趾=toe 脚尖=toe 足尖=toe 足指=toe ひざ=knee 膝=knee ひじ=elbow 肘=elbow "
    "親指=thumb 人指=index 人差指=index 中指=middle 薬指=ring 小指=pinky 拇指=thumb 食指=index 无名指=ring "
    "手指=finger 捩=twist ねじり=twist 锁骨=clavicle 鎖骨=clavicle 肩=clavicle 上臂=upperarm 大臂=upperarm "
    "上腕=upperarm 前臂=forearm 小臂=forearm 下臂=forearm 前腕=forearm 腕=upperarm 首=neck 脖=neck 颈=neck 頸=neck "
    "头发=hair 髪=hair 頭=head 头=head 腰=waist 骨盆=pelvis 骨盤=pelvis 臀=pelvis 脊椎=spine 脊柱=spine 背骨=spine "
    "胸=chest 腹=belly 太もも=thigh 大腿=thigh 小腿=shin すね=shin 足=thigh 目=eye 眼=eye 腿=thigh 脚=foot 手=hand"
)
_HANGUL = (
    "왼쪽=left 왼=left 오른쪽=right 오른=right 골반=pelvis 엉덩이=hips 척추=spine 허리=waist 가슴=chest 머리카락=hair "
    "허벅지=thigh 종아리=shin 정강이=shin 무릎=knee 발목=ankle 발가락=toe 쇄골=clavicle 어깨=shoulder 위팔=upperarm "
    "상완=upperarm 아래팔=forearm 전완=forearm 팔뚝=forearm 팔꿈치=elbow 손목=wrist 손가락=finger 머리=head 목=neck "
    "눈=eye 손=hand 발=foot 팔=arm 다리=leg"
)
# Russian, by stems; a side may be one letter.
_CYRILLIC = (
    *((r"лев(ая|ый|ое|ой)?", "left"), (r"прав(ая|ый|ое|ой)?", "right")),
    *((r"(?<![а-я])л(?![а-я])", "left"), (r"(?<![а-я])пр?(?![а-я])", "right")),
    *((r"бедр[оа]?", "thigh"), ("голень", "shin"), (r"колен[оа]?", "knee"), (r"лодыжк[аи]?", "ankle")),
    *((r"стоп[аы]?|ступн[яи]", "foot"), (r"носок|пальцы.?ног\w*", "toe"), (r"ключиц[аы]?", "clavicle")),
    *((r"предплечь[ея]", "forearm"), (r"плеч[оа]", "shoulder"), ("локоть", "elbow"), (r"запясть[ея]", "wrist")),
    *((r"кист[ьи]", "hand"), ("рука", "arm"), ("нога", "leg"), ("таз", "pelvis"), ("позвоночник", "spine")),
    *((r"груд[ьи]", "chest"), (r"поясниц[аы]", "waist"), ("живот", "belly"), (r"ше[яи]", "neck")),
    *((r"голов[аы]", "head"), ("глаз", "eye"), (r"волос[ыа]?", "hair"), (r"палец|пальц[ыа]", "finger")),
)
_IN_ENGLISH = [pair.split("=") for pair in f"{_HAN} {_HANGUL}".split()]


def in_english(name: str) -> str:
    """A joint's name with what is known of it in English; Latin letters stay."""
    if name.isascii():
        return name
    for foreign, english in _IN_ENGLISH:
        name = name.replace(foreign, f" {english} ")
    for stem, english in _CYRILLIC:
        name = re.sub(stem, f" {english} ", name, flags=re.IGNORECASE)
    return name
