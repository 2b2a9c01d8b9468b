"""Ask a server for motions: by words, of a file, and for what is done in one."""

import json
import threading
import time
import urllib.request
from pathlib import Path

import uvicorn

import motionclip
from motionclip.server.app import create_app


def post(url: str, body: bytes, kind: str, accept: str = "application/json") -> bytes:
    """The answer to a request."""
    request = urllib.request.Request(url, body, {"Content-Type": kind, "Accept": accept})
    with urllib.request.urlopen(request) as answer:
        content: bytes = answer.read()
        return content


def main() -> None:
    # 1. A server in a thread of this program; `motionclip serve` is the same as a program of its own. It reads files in
    # processes, which import this module: so what it does is in a function.
    app = create_app(motionclip.load())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.1)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    # 2. Words become a motion; the Accept header chooses the format.
    asked = json.dumps({"text": "a person walks", "seconds": 3}).encode()
    Path("out").mkdir(exist_ok=True)
    bvh = post(f"{address}/generate", asked, "application/json", "application/x-bvh")
    Path("out/walk.bvh").write_bytes(bvh)
    motion = json.loads(post(f"{address}/generate", asked, "application/json"))
    print(f"{len(motion['positions'])} frames of {len(motion['joints'])} joints")

    # 3. A file is sent as a form.
    form = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="walk.bvh"\r\n\r\n'
        + bvh
        + b"\r\n--edge--\r\n"
    )
    found = json.loads(post(f"{address}/recognize", form, "multipart/form-data; boundary=edge"))
    print(found["guesses"][0])

    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
