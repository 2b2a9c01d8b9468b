"""What is read of a glTF document, by the names of the specification: types and ranges, checked in one place.

https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html, section 5. What is not read may be anything.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from motionclip.gate.documents import Count, Name, Number, checked, parse_object

_Vector = Annotated[list[Number], Meta(min_length=3, max_length=3)]
_Quaternion = Annotated[list[Number], Meta(min_length=4, max_length=4)]
_Matrix = Annotated[list[Number], Meta(min_length=16, max_length=16)]
_Nodes = Annotated[list[Count], Meta(max_length=100_000)]


class _Node(Struct):
    name: Name | None = None
    children: _Nodes | None = None
    matrix: _Matrix | None = None
    translation: _Vector | None = None
    rotation: _Quaternion | None = None
    scale: _Vector | None = None
    skin: Count | None = None
    mesh: Count | None = None


class _Skin(Struct):
    joints: _Nodes
    name: Name | None = None
    inverseBindMatrices: Count | None = None


class _Target(Struct):
    path: str
    node: Count | None = None


class _Channel(Struct):
    sampler: Count
    target: _Target


class _Sampler(Struct):
    input: Count
    output: Count
    interpolation: Literal["LINEAR", "STEP", "CUBICSPLINE"] = "LINEAR"


class _Animation(Struct):
    channels: Annotated[list[_Channel], Meta(max_length=100_000)]
    samplers: list[_Sampler]
    name: Name | None = None


class _Accessor(Struct):
    componentType: Literal[5120, 5121, 5122, 5123, 5125, 5126]
    count: Annotated[int, Meta(ge=1, le=100_000_000)]
    type: Literal["SCALAR", "VEC2", "VEC3", "VEC4", "MAT2", "MAT3", "MAT4"]
    bufferView: Count | None = None
    byteOffset: Count = 0
    normalized: bool = False


class _View(Struct):
    buffer: Count
    byteLength: Count
    byteOffset: Count = 0
    byteStride: Annotated[int, Meta(ge=4, le=252)] | None = None


class _Buffer(Struct):
    byteLength: Count
    uri: str | None = None


class _Primitive(Struct):
    attributes: dict[str, Count]


class _Mesh(Struct):
    primitives: list[_Primitive]


class _Document(Struct):
    nodes: list[_Node] = []
    skins: list[_Skin] = []
    animations: list[_Animation] = []
    accessors: list[_Accessor] = []
    bufferViews: list[_View] = []
    buffers: list[_Buffer] = []
    meshes: list[_Mesh] = []


def parse_gltf(content: bytes) -> dict[str, Any]:
    """Returns a document whole, of which all that is read here has been checked.

    Raises:
        DocumentError: if it is no JSON, or not as the specification says, with the place.
    """
    document = parse_object(content)
    checked(document, _Document)
    return document
