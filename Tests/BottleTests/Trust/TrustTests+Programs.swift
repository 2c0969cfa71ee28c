import ReconcilerPlatform

extension TrustTests.Program {
    /// Every program of the matrix; `$URL` leads to the registries.
    static let all = downloaders + languages + packageManagers

    private static let downloaders = [
        Self(
            testDescription: "curl",
            needs: [["CURL_CA_BUNDLE", "SSL_CERT_FILE"]],
            script: "curl -fsS $URL/hello"
        ),
        Self(
            testDescription: "wget",
            needs: [["SYSTEM_WGETRC"]],
            script: "wget -q -t 1 -O /dev/null $URL/hello"
        ),
        Self(
            testDescription: "git",
            needs: [["GIT_SSL_CAINFO", "SSL_CERT_FILE"]],
            script: "git clone -q $URL/git app\ntest -e app/README"
        ),
        Self(
            testDescription: "gh (Go)",
            needs: [["SSL_CERT_FILE"]],
            script: "GH_HOST=\(Registries.host) GH_TOKEN=own gh api $MARK/hello"
        ),
        Self(
            testDescription: "xh (Rust, native-tls)",
            needs: [["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]],
            script: "xh --ignore-stdin --check-status $URL/hello"
        ),
    ]

    private static let languages = [
        Self(
            testDescription: "Python, urllib",
            needs: [["SSL_CERT_FILE"]],
            script: "python3 -c \"import urllib.request as r; r.urlopen('$URL/hello')\""
        ),
        Self(
            testDescription: "Python, requests",
            needs: [["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]],
            script: "python3 -c \"import requests; requests.get('$URL/hello').raise_for_status()\""
        ),
        Self(
            testDescription: "Python, httpx",
            needs: [["SSL_CERT_FILE"]],
            script: "python3 -c \"import httpx; httpx.get('$URL/hello').raise_for_status()\""
        ),
        Self(
            testDescription: "Node 24, fetch",
            needs: [["NODE_EXTRA_CA_CERTS"], ["NODE_USE_ENV_PROXY"]],
            script: "/opt/node24/node -e \"\(fetch)\""
        ),
        Self(
            testDescription: "Node 24, https",
            needs: [["NODE_EXTRA_CA_CERTS"], ["NODE_USE_ENV_PROXY"]],
            script: "/opt/node24/node -e \"\(https)\""
        ),
        Self(
            testDescription: "Node 24, axios, with its own proxying off",
            needs: [["NODE_EXTRA_CA_CERTS"], ["NODE_USE_ENV_PROXY"]],
            script: "NODE_PATH=/usr/share/nodejs /opt/node24/node -e \"\(axios)\""
        ),
        Self(
            testDescription: "Node 20, fetch, with a dispatcher",
            needs: [["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"], ["NODE_OPTIONS"]],
            setting: "NODE_OPTIONS",
            script: "node -e \"\(fetch)\""
        ),
        Self(
            testDescription: "Deno",
            needs: [["DENO_CERT", "NODE_EXTRA_CA_CERTS"]],
            script: "deno eval \"if (!(await fetch('$URL/hello')).ok) Deno.exit(2)\""
        ),
        Self(
            testDescription: "Java, HttpURLConnection and HttpClient",
            needs: [["JAVA_TOOL_OPTIONS"]],
            setting: "JAVA_TOOL_OPTIONS",
            script: "java /opt/Get.java $URL/hello"
        ),
        Self(
            testDescription: "Perl, LWP",
            needs: [["PERL_LWP_SSL_CA_FILE", "SSL_CERT_FILE"]],
            script: "lwp-request -m GET $URL/hello"
        ),
        Self(
            testDescription: "Ruby, Net::HTTP",
            needs: [["SSL_CERT_FILE"]],
            script: "ruby -rnet/http -e \"exit Net::HTTP.get_response(URI('$URL/hello')).is_a?(Net::HTTPOK)\""
        ),
    ]

    private static let fetch = "fetch('$URL/hello').then(r => process.exit(r.ok ? 0 : 2), () => process.exit(1))"
    private static let https = """
        require('https').get('$URL/hello', r => process.exit(r.statusCode == 200 ? 0 : 2))
            .on('error', () => process.exit(1))
        """

    private static let axios = """
        require('axios').get('$URL/hello', {proxy: false}).catch(() => process.exit(1))
        """

    private static let packageManagers = [
        Self(
            testDescription: "pip",
            needs: [["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]],
            script: "pip download -q --no-cache-dir --retries 0 --index-url $URL/pypi/ parcel\ntest -e parcel-1.0*"
        ),
        Self(
            testDescription: "uv (Rust, rustls)",
            needs: [["SSL_CERT_FILE"]],
            script: """
                UV_HTTP_RETRIES=0 uv pip install -q --no-cache --target . --index-url $URL/pypi/ parcel
                test -e parcel.py
                """
        ),
        Self(
            testDescription: "npm",
            needs: [["NODE_EXTRA_CA_CERTS"]],
            script: """
                PATH=/opt/node24:$PATH
                npm install --no-audit --no-fund --no-update-notifier --fetch-retries 0 --registry $URL/npm/ parcel
                test -e node_modules/parcel/package.json
                """
        ),
        Self(
            testDescription: "cargo",
            needs: [["CARGO_HTTP_CAINFO", "SSL_CERT_FILE"]],
            script: """
                mkdir src .cargo
                touch src/lib.rs
                printf '[package]\\nname = "x"\\nedition = "2021"\\n[dependencies]\\nparcel = "1"\\n' >Cargo.toml
                printf '[source.crates-io]\\nreplace-with = "r"\\n[source.r]\\n' >.cargo/config.toml
                printf 'registry = "sparse+%s/cargo/"\\n' "$URL" >>.cargo/config.toml
                CARGO_NET_RETRY=0 cargo generate-lockfile
                grep -q 'name = "parcel"' Cargo.lock
                """
        ),
        Self(
            testDescription: "go",
            needs: [["SSL_CERT_FILE"]],
            script: """
                printf 'module example.test/x\\n' >go.mod
                export GOROOT=/usr/lib/go GOPROXY=$URL/go GOSUMDB=off GOTOOLCHAIN=local GOFLAGS=-modcacherw
                /usr/lib/go/bin/go mod download example.test/parcel@v1.0.0
                """
        ),
        Self(
            testDescription: "apt",
            needs: [["APT_CONFIG", "SSL_CERT_FILE"]],
            script: apt
        ),
        Self(
            testDescription: "apt, by its own setting",
            needs: [["APT_CONFIG"]],
            script: "unset SSL_CERT_FILE\n" + apt
        ),
    ]

    private static let apt = """
        mkdir -p lists/partial cache/archives/partial
        echo "deb [trusted=yes] $URL apt/" >list
        set -- -q -o Dir::Etc::SourceList=$PWD/list -o Dir::Etc::SourceParts=/dev/null -o Acquire::Retries=0 \\
            -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache -o Debug::NoLocking=1
        apt-get "$@" --error-on=any update
        apt-get "$@" download parcel
        test -e parcel_1.0_all.deb
        """
}
