"""The files of `deploy/` are what Docker, HAProxy and Kubernetes read, and name what the server has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from motionclip.cli.main import main
from motionclip.server.routes import router

DEPLOY = Path(__file__).parents[2] / "deploy"
PATHS = {getattr(route, "path", "") for route in router.routes}


def read(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


def entry_point() -> list[str]:
    (line,) = re.findall(r"^ENTRYPOINT (\[.*\])$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    words: list[str] = yaml.safe_load(line)
    return words


def test_the_options_are_those_of_serve(capsys: pytest.CaptureFixture[str]) -> None:
    program, command, *given = entry_point()
    assert (program, command) == ("motionclip", "serve")
    given += read("compose.yaml")[0]["services"]["server"]["command"]
    given += read("kubernetes.yaml")[0]["spec"]["template"]["spec"]["containers"][0]["args"]
    with pytest.raises(SystemExit):
        main([command, "--help"])
    shown = capsys.readouterr().out
    options = {word for word in given if word.startswith("--")}
    assert options == {"--host", "--port", "--threads"}
    assert all(f"{option} " in shown for option in options)


def test_compose_puts_a_balancer_before_two_replicas() -> None:
    services = read("compose.yaml")[0]["services"]
    server, balancer = services["server"], services["balancer"]
    assert server["deploy"]["replicas"] == 2 and "MOTIONCLIP_TOKEN" in server["environment"]
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).samefile(DEPLOY / "Dockerfile")
    (mounted,) = (entry.split(":")[0] for entry in balancer["volumes"])
    rules = (DEPLOY / mounted).read_text(encoding="utf-8")
    port = server["command"][server["command"].index("--port") + 1]
    assert f" server:{port} " in rules and f"bind :{balancer['ports'][0].split(':')[1]}\n" in rules
    assert set(re.findall(r"GET (\S+)", rules)) <= PATHS
    assert set(re.findall(r"default_backend (\S+)", rules)) == set(re.findall(r"^backend (\S+)", rules, re.MULTILINE))


def test_kubernetes_finds_the_server_and_its_probes() -> None:
    deployment, service = read("kubernetes.yaml")
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert service["spec"]["selector"] == pod["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"]
    port = container["ports"][0]["containerPort"]
    assert service["spec"]["ports"][0]["targetPort"] == port == int(container["args"][1])
    for probe in ("readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in PATHS and asked["port"] == port
    assert container["env"][0]["name"] == "MOTIONCLIP_TOKEN"
