"""Posed bodies → pictures, by OpenGL without a screen; Mesa renders where there is no GPU.

Bodies are posed by linear blend skinning in the vertex shader, x' = Σ_b w_b M_b x over the four
bones b of largest weight, and lit by one light, a fill light and ambient light (Lambert).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from core.types import Floats, Intrinsics
from train.wild.people.body import DRIVERS, Body, Part

_NEAR_M, _FAR_M = 0.2, 100.0
_VERTEX = f"""
#version 330
uniform mat4 camera;
uniform mat4x3 bones[{len(DRIVERS)}];
in vec3 position; in vec3 normal; in vec2 uv; in ivec4 driver; in vec4 weight;
out vec3 facing; out vec2 at;
void main() {{
    mat4x3 skin = weight.x * bones[driver.x] + weight.y * bones[driver.y]
                + weight.z * bones[driver.z] + weight.w * bones[driver.w];
    gl_Position = camera * vec4(skin * vec4(position, 1.0), 1.0);
    facing = mat3(skin) * normal;
    at = uv;
}}
"""
_FRAGMENT = """
#version 330
uniform sampler2D cloth;
uniform vec3 light; uniform vec3 fill; uniform float ambient;
in vec3 facing; in vec2 at;
out vec4 colour;
void main() {
    vec4 own = texture(cloth, at);
    if (own.a < 0.4) discard;
    vec3 n = normalize(facing);
    float bright = ambient + (1.0 - ambient) * max(dot(n, light), 0.0)
                 + 0.25 * max(dot(n, fill), 0.0);
    colour = vec4(own.rgb * min(bright, 1.3), 1.0);
}
"""
_BACK_VERTEX = """
#version 330
uniform float depth; uniform vec4 box;
in vec2 corner;
out vec2 at;
void main() {
    gl_Position = vec4(mix(box.xy, box.zw, corner), depth, 1.0);
    at = vec2(corner.x, 1.0 - corner.y);
}
"""
_BACK_FRAGMENT = """
#version 330
uniform sampler2D picture;
in vec2 at; out vec4 colour;
void main() { colour = texture(picture, at); }
"""


_VERTEX_FIELDS = {"position": "3f4", "normal": "3f4", "uv": "2f4", "driver": "4i4", "weight": "4f4"}

Occluder = tuple[Floats, NDArray[np.uint8]]
"""The corners x0, y0, x1, y1 px of a rectangle in the picture, and the (h, w, 3) RGB it shows."""


class Studio:
    """An OpenGL context and its programs, for pictures of any size; one for each process."""

    def __init__(self) -> None:
        self._context: Any = moderngl.create_context(standalone=True, backend="egl")  # type: ignore[arg-type]
        self._context.enable(moderngl.DEPTH_TEST)
        self._people: Any = self._context.program(_VERTEX, _FRAGMENT)
        self._flat = self._context.program(_BACK_VERTEX, _BACK_FRAGMENT)
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
        self._quad = self._context.vertex_array(
            self._flat, [(self._context.buffer(corners), "2f", "corner")]
        )
        self._targets: dict[tuple[int, int], Any] = {}

    @contextmanager
    def scene(
        self,
        bodies: Sequence[Body],
        background: NDArray[np.uint8],
        intrinsics: Intrinsics,
        rng: np.random.Generator,
        occluder: Occluder | None = None,
    ) -> Iterator[Callable[[Floats], NDArray[np.uint8]]]:
        """Upload what stays the same while bodies are filmed.

        Args:
            bodies: B bodies at rest.
            background: (H, W, 3) RGB, as large as the pictures to be drawn.
            intrinsics: The camera.
            rng: Decides the light.
            occluder: Hides what is behind it.

        Yields:
            A function from matrices (B, drivers, 3, 4), which take points at rest to camera space,
            to a picture (H, W, 3) RGB.
        """
        height, width = background.shape[:2]
        held: list[Any] = []
        people = [[self._upload(part, held) for part in body.parts] for body in bodies]
        flats = [(self._upload_picture(background, held), np.array([-1, -1, 1, 1]), 0.9999)]
        if occluder is not None:
            corners, picture = occluder
            x0, y0, x1, y1 = corners / (width, height, width, height) * 2 - 1
            flats.append((self._upload_picture(picture, held), np.array([x0, -y1, x1, -y0]), -0.99))
        light = rng.normal(size=3) + np.array([0, -1.2, -0.8])  # from above and from the camera
        fill = rng.normal(size=3)
        self._people["light"] = tuple(light / np.linalg.norm(light))
        self._people["fill"] = tuple(fill / np.linalg.norm(fill))
        self._people["ambient"] = float(rng.uniform(0.25, 0.6))
        self._people["camera"].write(
            _projection(intrinsics, width, height).T.astype("f4").tobytes()
        )
        try:
            yield lambda matrices: self._draw((width, height), people, flats, matrices)
        finally:
            for resource in held:
                resource.release()

    def _draw(
        self, size: tuple[int, int], people: Any, flats: Any, matrices: Floats
    ) -> NDArray[np.uint8]:
        """A picture (H, W, 3) of the size (W, H): background, occluder, posed bodies."""
        target = self._target(size)
        target.use()
        self._context.clear(depth=1.0)
        for texture, box, depth in flats:
            texture.use()
            self._flat["box"], self._flat["depth"] = tuple(box), depth
            self._quad.render(moderngl.TRIANGLE_STRIP)
        for parts, bones in zip(people, matrices, strict=True):
            # mat4x3 is four columns of three.
            columns = np.ascontiguousarray(bones.transpose(0, 2, 1), dtype="f4")
            self._people["bones"].write(columns.tobytes())
            for vertices, texture in parts:
                texture.use()
                vertices.render()
        pixels = np.frombuffer(target.read(components=3, alignment=1), np.uint8)
        return np.ascontiguousarray(pixels.reshape(size[1], size[0], 3)[::-1])

    def _target(self, size: tuple[int, int]) -> Any:
        """The frame buffer of a picture's size: pixels and depths."""
        if size not in self._targets:
            gl = self._context
            self._targets[size] = gl.framebuffer(
                [gl.renderbuffer(size, 3)], gl.depth_renderbuffer(size)
            )
        return self._targets[size]

    def _upload(self, part: Part, held: list[Any]) -> tuple[Any, Any]:
        """A part's vertices and texture; what must be released goes into `held`."""
        strongest = np.argsort(-part.weights, axis=1)[:, :4]
        weights = np.take_along_axis(part.weights, strongest, 1)
        weights = weights / weights.sum(1, keepdims=True)
        vertices = np.zeros(len(part.positions), np.dtype(list(_VERTEX_FIELDS.items())))
        vertices["position"] = part.positions
        vertices["normal"] = part.normals
        vertices["uv"] = part.uv * (1, -1) + (0, 1)  # v down, as pictures are uploaded
        vertices["driver"] = strongest
        vertices["weight"] = weights
        buffers = (
            self._context.buffer(vertices.tobytes()),
            self._context.buffer(part.triangles.tobytes()),
        )
        layout = (buffers[0], "3f 3f 2f 4i 4f", *_VERTEX_FIELDS)
        array = self._context.vertex_array(self._people, [layout], index_buffer=buffers[1])
        texture = self._upload_picture(part.texture, held)
        held += [array, *buffers]
        return array, texture

    def _upload_picture(self, picture: NDArray[np.uint8], held: list[Any]) -> Any:
        """A texture of (H, W, channels), with mipmaps."""
        height, width, channels = picture.shape
        texture = self._context.texture(
            (width, height), channels, np.ascontiguousarray(picture).tobytes(), alignment=1
        )
        texture.build_mipmaps()
        texture.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
        held.append(texture)
        return texture


def _projection(camera: Intrinsics, width: int, height: int) -> Floats:
    """(4, 4): camera axes (x right, y down, z forward) → OpenGL's clip space.

    u = fx X/Z + cx becomes 2u/w - 1, v = fy Y/Z + cy becomes 1 - 2v/h; depth as glFrustum's.
    """
    depth = (_FAR_M + _NEAR_M) / (_FAR_M - _NEAR_M), -2 * _FAR_M * _NEAR_M / (_FAR_M - _NEAR_M)
    return np.array(
        [
            [2 * camera.fx / width, 0, 2 * camera.cx / width - 1, 0],
            [0, -2 * camera.fy / height, 1 - 2 * camera.cy / height, 0],
            [0, 0, *depth],
            [0, 0, 1, 0],
        ]
    )
