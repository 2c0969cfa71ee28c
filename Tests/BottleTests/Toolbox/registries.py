"""Answers as one registry of each kind does, and logs every request as a line of JSON.

A path is `/MARK/KIND/…`: whatever the mark, the content is the same, so that requests can be told apart. The one
argument is the host's name, for a certificate that is its own authority.
"""

import base64
import hashlib
import http.server
import io
import json
import pathlib
import ssl
import subprocess
import sys
import tarfile
import zipfile

NAME = "parcel"
MODULE = f"example.test/{NAME}"


def archive(files: dict[str, str]) -> bytes:
    """A compressed tar of `files`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def zipped(files: dict[str, str]) -> bytes:
    """A zip of `files`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for path, text in files.items():
            file.writestr(path, text)
    return out.getvalue()


def python_index() -> dict[str, bytes]:
    """A simple index with one wheel."""
    info = f"{NAME}-1.0.dist-info"
    wheel = zipped(
        {
            f"{NAME}.py": "",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": f"{NAME}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        }
    )
    file = f"{NAME}-1.0-py3-none-any.whl"
    return {
        f"pypi/{NAME}/": f'<!doctype html><a href="../{file}">{file}</a>'.encode(),
        f"pypi/{file}": wheel,
    }


def node_registry() -> dict[str, bytes]:
    """A registry with one package."""
    package = {"name": NAME, "version": "1.0.0"}
    file = archive({"package/package.json": json.dumps(package)})
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(file).digest()).decode()
    dist = {"tarball": f"BASE/npm/{NAME}.tgz", "integrity": integrity}
    packument = {
        "name": NAME,
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": package | {"dist": dist}},
    }
    return {f"npm/{NAME}": json.dumps(packument).encode(), f"npm/{NAME}.tgz": file}


def crate_index() -> dict[str, bytes]:
    """A sparse index with one crate."""
    crate = archive(
        {
            f"{NAME}-1.0.0/Cargo.toml": f'[package]\nname = "{NAME}"\nversion = "1.0.0"\nedition = "2021"\n',
            f"{NAME}-1.0.0/src/lib.rs": "",
        }
    )
    line = {"name": NAME, "vers": "1.0.0", "deps": [], "features": {}, "yanked": False}
    line["cksum"] = hashlib.sha256(crate).hexdigest()
    return {
        "cargo/config.json": json.dumps({"dl": "BASE/cargo/crates"}).encode(),
        f"cargo/{NAME[:2]}/{NAME[2:4]}/{NAME}": json.dumps(line).encode() + b"\n",
        f"cargo/crates/{NAME}/1.0.0/download": crate,
    }


def go_proxy() -> dict[str, bytes]:
    """A module proxy with one module."""
    module = f"module {MODULE}\n"
    folder = f"go/{MODULE}/@v"
    return {
        f"{folder}/v1.0.0.info": b'{"Version":"v1.0.0"}',
        f"{folder}/v1.0.0.mod": module.encode(),
        f"{folder}/v1.0.0.zip": zipped({f"{MODULE}@v1.0.0/go.mod": module}),
    }


def debian_repository() -> dict[str, bytes]:
    """A flat repository with one package."""
    folder = pathlib.Path("/tmp/deb")
    (folder / "DEBIAN").mkdir(parents=True)
    control = f"Package: {NAME}\nVersion: 1.0\nArchitecture: all\nMaintainer: test\nDescription: test\n"
    (folder / "DEBIAN/control").write_text(control)
    subprocess.run(["dpkg-deb", "--build", folder, "/tmp/parcel.deb"], check=True, stdout=subprocess.DEVNULL)
    deb = pathlib.Path("/tmp/parcel.deb").read_bytes()
    control += f"Filename: apt/{NAME}.deb\nSize: {len(deb)}\nSHA256: {hashlib.sha256(deb).hexdigest()}\n"
    packages = control.encode()
    release = "Codename: apt/\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
    release += f" {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"
    return {"apt/Release": release.encode(), "apt/Packages": packages, f"apt/{NAME}.deb": deb}


def git_repository() -> dict[str, bytes]:
    """A repository with one commit, as the files that git reads where nothing but files is served."""
    commit = """
        git init -q -b main work
        cd work
        echo hello >README
        git add README
        git -c user.name=test -c user.email=test@bt.test commit -q -m first
        git clone -q --bare . ../bare.git
        git -C ../bare.git update-server-info
        """
    subprocess.run(["sh", "-ec", commit], check=True, cwd="/tmp")
    root = pathlib.Path("/tmp/bare.git")
    return {f"git/{file.relative_to(root)}": file.read_bytes() for file in root.rglob("*") if file.is_file()}


CONTENT = (
    {"hello": b'"hello"\n'}
    | python_index()
    | node_registry()
    | crate_index()
    | go_proxy()
    | debian_repository()
    | git_repository()
)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `CONTENT` below any mark."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Logs the request and answers it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        record = {"tls": True, "host": headers.get("host", ""), "method": self.command, "path": self.path}
        print(json.dumps(record | {"headers": headers}), flush=True)
        mark, _, path = self.path.split("?")[0].removeprefix("/api/v3").removeprefix("/").partition("/")
        body = CONTENT.get(path)
        self.send_response(404 if body is None else 200)
        body = body or b""
        if body.startswith(b"{"):
            body = body.replace(b"BASE", f"https://{headers.get('host', '')}/{mark}".encode())
        self.send_header("content-type", "text/html" if path.endswith("/") else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = answer

    def log_message(self, *_: object) -> None:
        """Standard output is for requests, and nothing else is worth a line."""


class Server(http.server.ThreadingHTTPServer):
    """Shakes hands in the connection's own thread, so that a client that won't holds nobody up."""

    daemon_threads = True

    def finish_request(self, request: object, address: object) -> None:
        """Serves one connection."""
        request.settimeout(20)
        super().finish_request(context.wrap_socket(request, server_side=True), address)

    def handle_error(self, *_: object) -> None:
        """A client that breaks off is its own business."""


def certify(host: str) -> None:
    """Makes a key, and a certificate for `host` that is its own authority."""
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -out server.pem"
    name = ["-keyout", "server.key", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    subprocess.run(line.split() + name, check=True, cwd="/srv", stderr=subprocess.DEVNULL)


certify(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/server.pem", "/srv/server.key")
server = Server(("0.0.0.0", 443), Handler)
print("ready", flush=True)
server.serve_forever()
