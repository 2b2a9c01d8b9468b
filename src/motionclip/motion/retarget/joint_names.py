"""What the names of joints say: a side, a kind of body part, or that a joint is aside.

A name is cut into words: "mixamorig:LeftUpLeg_07" gives left, up, leg. What most names of a skeleton begin with, such
as the name of a character, is left out. A convention that is not understood yet needs its words in the tables below.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from motionclip.motion.retarget.joint_names_abroad import in_english

_SIDE_WORDS = {
    word: side
    for side, words in (
        (
            "left",
            "l left lft lt lf links linke linker gauche izq izquierda izquierdo sx sinistra esq esquerda esquerdo",
        ),
        (
            "right",
            "r right rgt rt rechts rechte rechter droite droit der derecha derecho dx destra dir direita direito",
        ),
    )
    for word in words.split()
}
# Words of joints that are no part of the chains that are sought: controls, props, clothes, the face, correctives.
_ASIDE = frozenset(
    word
    for words in (
        "ik fk pole ctrl control target helper nub end effector site mch org vis tweak marker dummy mesh cancel parent",
        "prop weapon socket attach attachment slot handslot camera gun sword shield bag skirt cloth hair tail wing",
        "facial eye jaw tongue brow eyebrow eyelid lip cheek ear nose teeth tooth",
        "breast pectoral boob bust glute buttock corrective inner outer pec scap",
    )
    for word in words.split()
)
_TWIST = frozenset(("twist", "roll"))
_FINGERS = re.compile(r"thumb|index|middle|ring|pinky|little|finger|^mid$|carpal|^indx$|^pnky$|^thmb$")
# Kind of body part to the compound words that name it, from the word that is sure to the one that is not.
_WORDS: Mapping[str, str] = {
    "hip": "thigh femur upleg upperleg legupper uleg legup thighbend oberschenkel muslo cuisse coscia coxa "
    "piernasuperior",
    "knee": "shin shank calf tibia knee lowerleg lowleg leglower lleg legdown "
    "unterschenkel schienbein wade knie pantorrilla espinilla rodilla piernainferior mollet genou ginocchio polpaccio "
    "joelho canela",
    "ankle": "ankle talus knoechel fussgelenk tobillo cheville caviglia tornozelo",
    "sole": "foot fuss pie pied piede pe",
    "toe": "toe toes toebase ball foottoe toefoot forefoot footindex zehe zehen orteil orteils punta dita "
    "dedospie dedospe",
    "leg": "leg bein pierna jambe gamba perna",
    "collar": "clavicle collar clav collarbone scapula schluesselbein schlusselbein clavicula clavicule clavicola",
    "upperarm": "upperarm uparm humerus shldr shldrbend uarm armupper bicep armup oberarm",
    "elbow": "elbow ulna forearm forearmbend lowerarm lowarm radius farm armlower armdown "
    "unterarm ellbogen ellenbogen antebrazo codo avantbras coude avambraccio gomito antebraco cotovelo",
    "wrist": "wrist handgelenk muneca poignet polso pulso",
    "hand": "hand palm mano main mao",
    "shoulder": "shoulder schulter hombro epaule spalla ombro",
    "arm": "arm brazo bras braccio braco",
    "head": "head kopf cabeza tete testa cabeca",
    "neck": "neck necktwist necklower neckupper lowerneck upperneck neckbase hals cuello cou collo pescoco",
    "spine": "spine chest abdomen waist torso thorax back belly stomach ab trunk lowerback upperback upperchest "
    "abdomenlower abdomenupper chestlower chestupper tospine lowerspine upperspine spinelower spineupper midback "
    "spinemid breastbone ribcage wirbelsaeule wirbelsaule brust bauch rumpf columna espina pecho torax colonne "
    "poitrine torse colonna schiena petto coluna peito ruecken rucken brustkorb",
    "pelvis": "pelvis hips hip becken huefte hufte cadera bassin hanche bacino anca quadril",
}
KIND = {word: kind for kind, words in _WORDS.items() for word in words.split()}
LEG = frozenset(("hip", "knee", "ankle", "sole", "toe", "leg", "pelvis"))  # a sided "hip" is a hip
ARM = frozenset(("collar", "shoulder", "upperarm", "arm", "elbow", "wrist", "hand"))


#: Of so many joints, this share whose names begin with one word for a side or a part is called after a character.
_MANY, _NEARLY_ALL = 10, 0.9


@dataclass(frozen=True)
class JointName:
    """What a joint's name says.

    Attributes:
        side: "left", "right" or "".
        kind: a key of ``_WORDS``, or "".
        aside: whether it is a finger, a prop, a control, or part of the face.
        twist: whether it is a twist bone.
        finger: the finger's word, or "".
    """

    side: str
    kind: str
    aside: bool
    twist: bool
    finger: str


def understand_names(names: tuple[str, ...]) -> list[JointName]:
    words = _without_shared([_split(name) for name in names])
    words = [each[::-1] for each in _without_shared([each[::-1] for each in words])]  # "left_hip_joint"
    return [_understood(each, name) for each, name in zip(words, names, strict=True)]


def _split(name: str) -> tuple[str, ...]:
    """A name's words, lower case, without name spaces: "mixamorig:LeftUpLeg_07" gives left, up, leg, 07."""
    name = unicodedata.normalize("NFKC", re.split(r"[:|]", name)[-1] or name)
    name = in_english(name).replace("ß", "ss")
    name = re.sub(r"[\u0300-\u036f]", "", unicodedata.normalize("NFKD", name))  # no accents
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", " ", name)
    return tuple(word.lower() for word in re.findall(r"[A-Za-z]+|\d+", name))


def _without_shared(words: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The words of names without those that most of them begin with."""
    shared = _shared_prefix(words)
    return [each[len(shared) :] if each[: len(shared)] == shared and each != shared else each for each in words]


def _shared_prefix(words: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The words that most names begin with, such as a character's name."""
    prefix: tuple[str, ...] = ()
    while True:
        longer = Counter(
            each[: len(prefix) + 1] for each in words if len(each) > len(prefix) + 1 and each[: len(prefix)] == prefix
        )
        if not longer:
            return prefix
        best, times = longer.most_common(1)[0]
        says_much = best[-1] in _SIDE_WORDS or best[-1] in KIND
        if says_much and (len(words) < _MANY or times <= _NEARLY_ALL * len(words)):
            return prefix
        if times <= len(words) / 2:
            return prefix
        prefix = best


def _understood(words: tuple[str, ...], name: str) -> JointName:
    if re.fullmatch(r"[LT]\d{1,2}", name):  # vertebrae, as Xsens names them
        return JointName("", "spine", False, False, "")
    side, plain = "", []
    for word in words:
        own, rest = _sided(word)
        side = side or own
        plain += [rest] if rest and not rest.isdigit() else []
    if plain and plain[0] in ("u", "f") and len(plain) > 1 and plain[1] == "arm":  # LUArm, LFArm
        plain = [plain[0] + "arm", *plain[2:]]
    twist = any(word in _TWIST for word in plain)
    core = [word for word in plain if word not in _TWIST]
    kind = _kind(core)
    if "joint" in core and kind in ("pelvis", "hip"):  # CMU's hip joints, which do not move
        kind = ""
    fingers = [word for word in plain if _FINGERS.search(word) and kind not in ("spine", "toe")]  # a SpineMid is none
    finger = max(fingers, key=lambda word: "carpal" in word, default="")
    aside = bool(finger) or any(word in _ASIDE or word.startswith("corrective") for word in plain)
    return JointName(side, kind, aside, twist, finger)


def _kind(words: list[str]) -> str:
    """The kind of body part that the longest run of words names, the last of equal ones: "up leg zero" is a thigh."""
    runs = (
        "".join(words[end - length : end])
        for length in range(len(words), 0, -1)
        for end in range(len(words), length - 1, -1)
    )
    return next((KIND[run] for run in runs if run in KIND), "")


def _sided(word: str) -> tuple[str, str]:
    """The side that a word says, and what is left: "left" gives left and nothing, "lfemur" left and femur."""
    if word in _SIDE_WORDS:
        return _SIDE_WORDS[word], ""
    for start in ("left", "right", "l", "r"):
        rest = word.removeprefix(start)
        if rest != word and (rest in KIND or rest in ("u", "f", "hipjoint", "toes")) and word not in KIND:
            return _SIDE_WORDS[start], "joint" if rest == "hipjoint" else rest
        rest = word.removesuffix(start)
        if rest != word and rest in KIND and word not in KIND:
            return _SIDE_WORDS[start], rest
    return "", word
