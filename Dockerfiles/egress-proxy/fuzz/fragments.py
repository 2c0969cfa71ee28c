"""Pieces that have fooled parsers: the mutator inserts them, and they are libFuzzer's dictionary."""

from __future__ import annotations

PATH = [
    piece.encode("utf-8")
    for piece in (
        "/../ /..;/ /.;/ /;/ // /./ \\ ..\\ %2e %2E%2e .%2e %2f %5c %252e %252f %25 %00 %0a %0d%0a %09 %20 ..%20/ "
        "%20../ /..%20/ /.../ /..../ ..%3b ;x=1 ;.. %c0%ae %c0%af %e0%80%ae %ef%bc%8e %ef%bc%8f %u002e %u2215 "
        "\uff0f \uff0e "
        "\u2215 %23 %3f # ? ?? & = + ~ * : @ %40 %3a , | ^ ` { %61 %41 %2561 %5f . ; $ ' ( %zz % %2 /. /.. /a/../.. "
        "/repos/acme/ /repos/acme /%72epos/ /a/ /b /a/b/c/ /a;v=1/ /a%20b/ /x /w /x/y /W /A/"
    ).split()
] + [b"\x00", b"\t", b"\x1e", b"\r", b" ", b"\x7f", b"\x80", b"\xc0\xae", b"\xff", b"\xe3\x80\x82"]
PUSH = [
    piece.encode()
    for piece in (
        "/git-receive-pack /x.git/git-receive-pack /info/refs?service=git-receive-pack service=git-receive-pack "
        "service git-receive-pack %67it-receive-pack git%2dreceive-pack %73ervice Git-Receive-Pack .git/ /a.git/HEAD "
        "&service=git-receive-pack ;service=git-receive-pack ?service=git-receive-pack %3fservice=git-receive-pack "
        "git%252dreceive-pack %2567it-receive-pack service=%00git-receive-pack git-upload-pack /a.git/objects/ "
        "%u0067it-receive-pack %c1%a7it-receive-pack application/x-git-receive-pack-request "
        "application/x-git-receive-pack-result"
    ).split()
]
QUERY = [
    piece.encode()
    for piece in (
        "?access_token=agent-key ?token=agent-key &api_key=agent-key &%61pi_key=agent-key ;api_key=agent-key "
        "&key=AIzaX "
        "&_method=DELETE ?_method=PUT &X-Amz-Signature=agent-key &sig=agent-key &Action=SendMessage &page=2 "
        "&a=1 &next_token=x "
        "?X-HTTP-Method-Override=PUT &$httpMethod=PUT &password=agent-key &_HttpMethod=PATCH ?sudo=root &doAs=root"
    ).split()
]
HEADERS = [
    line.encode()
    for line in (
        "Host: api.github.com|Host: a.test|host: evil.test|HOST : a.test|Authorization: Bearer agent-key|"
        "authorization: x|Cookie: a=agent-key|X-Api-Key: agent-key|x_api_key: agent-key|X.Api.Key: agent-key|"
        "X-Team: agent-key|"
        "X_Team: agent-key|Proxy-Authorization: Basic x|X-HTTP-Method-Override: DELETE|x_http_method_override: PUT|"
        "X-Original-URL: /admin|X.Original.URL: /admin|X-Forwarded-Host: evil.test|Via: 1.1 x|Connection: close|"
        "Connection: keep-alive, Upgrade|Connection: Authorization|Connection: X-Team, close|Upgrade: websocket|"
        "Upgrade: h2c|Content-Length: 0|Content_Length: 4|Content.Length: 4|Transfer-Encoding: chunked|"
        "Transfer_Encoding: chunked|TE: trailers|Accept: */*|User-Agent: x|Expect: 100-continue|"
        "Content-Type: application/x-git-receive-pack-request|Accept: application/x-git-receive-pack-result|"
        "Git-Protocol: version=2|Destination: /etc/x|Destination: https://evil.test/a/|Destination: /a/../x|"
        "Destination: /a/x|x-amz-copy-source: /other/key|Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.x|"
        "Sec-WebSocket-Key: x|X-Test: a\x00b|X-Test: a\rb|X-Test: a\x1eb|X Test: a|: x|X-Remote-User: root|"
        "Ocp-Apim-Subscription-Key: agent-key|X-Honeycomb-Team: agent-key|DPoP: x|Signature: x|X-Real-IP: x|"
        "Sudo: root|Impersonate-User: root|impersonate_group: x|Impersonate-Extra-scopes: x|As-User: 1|"
        "Api-Username: root|"
        "Client-IP: x|X-Forwarded-User: root|X-Envoy-Original-Path: /x|X-Custom: s3cret"
    ).split("|")
]
HOST = [
    piece.encode("utf-8")
    for piece in (
        ". .. :443 :80 :8443 :0443 :65536 : @ user@ %2e %61 \u3002 \uff0e \u2024 \u00ad \u200d \u00df \u03c2 \u017f "
        "\u212a \u2132 \u10a0 b\u00fccher.test B\u00dcCHER.test bu\u0308cher.test xn--bcher-kva.test [::1] "
        "127.0.0.1 _ - "
        "A.TEST x.a.test x.y.a.test x.c.a.test b.a.test f.test c.test d.test x.e.test e.test evil.test api.github.com "
        "any.example "
        "alt.example in.wild.example x.wild.example raw.example x.list.example list.example"
    ).split()
]
# Headers that have an effect only together.
BUNDLES = [
    [b"Upgrade: websocket", b"Connection: Upgrade"],
    [b"Upgrade: WebSocket", b"Connection: keep-alive, Upgrade", b"Sec-WebSocket-Protocol: json"],
    [b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: x"],
    [b"Content-Length: 1", b"Transfer-Encoding: chunked"],
    [b"Content-Length: 1", b"content-length: 2"],
    [b"Content-Length: 18446744073709551621"],
    [b"Transfer-Encoding: CHUNKED"],
    [b"Transfer-Encoding: gzip, chunked"],
    [b"Transfer-Encoding: chunked", b"transfer-encoding: x"],
]
METHODS = [
    b"GET", b"HEAD", b"POST", b"PUT", b"get", b"TRACE", b"trace", b"CONNECT", b"MOVE", b"LOCK", b"MKCOL", b"DELETE",
    b"PROPFIND", b"GET\x1f", b"G\x00T", b"OPTIONS", b"PATCH", b"COPY",
]  # fmt: skip
JSON = [
    piece.encode()
    for piece in (
        '{ } [ ] , : null true false 1 0 -1 443 1.0 1e3 1e999 NaN "version" "routes" "allowlist" "host" "port" '
        '"methods" '
        '"grant" "grants" "id" "not_after" "max_uses" "dev/0001" "2026-01-01T00:00:00Z" '
        '"paths" "auth" "client_auth" "websocket" "header" "scheme" "slot" "*.a.test" "a.test" "GET" "/a/" "/a/../" '
        '"\\ud800" "\\u0000" "Host" "content_length" "X-Team" "Bearer" "BOTTLE_CREDENTIAL_X" "BOTTLE_CREDENTIAL_Z" '
        '"BOTTLE_CREDENTIAL_Y" "version":1 "host":"a.test" 99999999999999999999 "A.test" "a.test." "*.test" "*"'
    ).split()
] + [b"[" * 50, b'{"a":' * 50, b"9" * 5000, b"\xef\xbb\xbf", b"\xed\xa0\x80"]
