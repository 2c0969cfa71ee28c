"""Certificates: the bottle's authority towards the agent, and the trusted roots towards servers."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from mitmproxy import certs
from mitmproxy.addons.tlsconfig import TlsConfig
from OpenSSL import SSL

_KEY = re.compile(rb"-----BEGIN (?:RSA )?PRIVATE KEY-----.+?-----END (?:RSA )?PRIVATE KEY-----", re.DOTALL)


class BadTrust(Exception):
    """A certificate file can't be used. The message quotes nothing of the file."""


def load_authority(path: Path) -> certs.CertStore:
    """The store that issues leaf certificates; keys and certificates stay in memory. Raises BadTrust."""
    try:
        content = path.read_bytes()
        key_text = _KEY.search(content)
        if key_text is None:
            raise BadTrust(f"{path} holds no RSA private key")
        key = serialization.load_pem_private_key(key_text[0] + b"\n", password=None)
        certificate = x509.load_pem_x509_certificate(content)
    except OSError as error:
        raise BadTrust(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise BadTrust(f"{path} is not a key and a certificate in PEM form") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise BadTrust(f"{path}: the certificate does not belong to the RSA key")
    return certs.CertStore(key, certs.Cert(certificate), None, b"", None)


def write_upstream_roots(system: Path, extra: Path, target: Path) -> None:
    """Write the public and the bottle's own roots (which may be missing or empty) to one file. Raises BadTrust."""
    try:
        roots = system.read_bytes()
        further = extra.read_bytes() if extra.exists() else b""
        if further.strip():
            x509.load_pem_x509_certificates(further)
        target.write_bytes(roots.rstrip(b"\n") + b"\n" + further)
    except OSError as error:
        raise BadTrust(f"{error.filename} can't be used: {error.strerror}") from error
    except ValueError as error:
        raise BadTrust(f"{extra} is not a list of certificates in PEM form") from error


class BottleTLS(TlsConfig):
    """mitmproxy's TLS settings with the store that it is given: no folder is read or written.

    The server is offered HTTP/1.1 only, whatever the client offered.
    """

    name = "tlsconfig"
    request = None

    def __init__(self, store: certs.CertStore) -> None:
        self.certstore = store

    def running(self) -> None:
        """Do nothing: there are no files to read."""

    def configure(self, updated) -> None:
        """Do nothing: no option changes while the proxy runs."""

    def tls_start_server(self, tls_start) -> None:
        """TLS with a server, verified for the name in `sni`, which is the host of the admitted request."""
        tls_start.conn.alpn_offers = (b"http/1.1",)
        super().tls_start_server(tls_start)


def closed_context(context: SSL.Context) -> SSL.Context:
    """The context without renegotiation, session resumption and early data."""
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    return context
