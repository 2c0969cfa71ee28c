import ReconcilerEngine
import Testing

@Suite("Engine endpoints")
struct EngineEndpointTests {
    @Test(
        "every request that we make has its endpoint's text, whatever it names",
        arguments: [
            ("GET", "/_ping", "GET /_ping"), ("GET", "/v1.41/version", "GET /version"),
            ("GET", "/v1.41/events?filters=%7B%7D", "GET /events"), ("GET", "/v1.41/info", "GET /info"),
            ("GET", "/v1.41/containers/json?all=true", "GET /containers/json"),
            ("POST", "/v1.41/containers/create?name=bottle-dev-agent", "POST /containers/create"),
            ("GET", "/v1.41/containers/0123abcd/json", "GET /containers/{id}/json"),
            ("DELETE", "/v1.45/containers/0123abcd?force=true&v=true", "DELETE /containers/{id}"),
            ("POST", "/v1.41/containers/bottle-dev-agent/start", "POST /containers/{id}/start"),
            ("POST", "/v1.41/containers/a/stop?t=1", "POST /containers/{id}/stop"),
            ("POST", "/v1.41/containers/a/kill?signal=HUP", "POST /containers/{id}/kill"),
            ("POST", "/v1.41/containers/a/restart", "POST /containers/{id}/restart"),
            ("POST", "/v1.41/containers/a/pause", "POST /containers/{id}/pause"),
            ("POST", "/v1.41/containers/a/unpause", "POST /containers/{id}/unpause"),
            ("POST", "/v1.41/containers/a/rename?name=b", "POST /containers/{id}/rename"),
            ("POST", "/v1.41/containers/a/update", "POST /containers/{id}/update"),
            ("POST", "/v1.41/containers/a/wait", "POST /containers/{id}/wait"),
            ("GET", "/v1.41/containers/a/logs?follow=true", "GET /containers/{id}/logs"),
            ("POST", "/v1.41/containers/a/exec", "POST /containers/{id}/exec"),
            ("HEAD", "/v1.41/containers/a/archive?path=/etc", "HEAD /containers/{id}/archive"),
            ("GET", "/v1.41/containers/a/archive?path=/etc", "GET /containers/{id}/archive"),
            ("PUT", "/v1.41/containers/a/archive?path=/etc", "PUT /containers/{id}/archive"),
            ("GET", "/v1.41/exec/a/json", "GET /exec/{id}/json"),
            ("POST", "/v1.41/exec/a/start", "POST /exec/{id}/start"),
            ("GET", "/v1.41/images/json", "GET /images/json"), ("POST", "/v1.41/images/create", "POST /images/create"),
            ("POST", "/v1.41/build?t=x", "POST /build"),
            ("GET", "/v1.41/images/bottle/agent/json", "GET /images/{image}/json"),
            ("GET", "/v1.41/images/a.example/b/c%3Alatest/json", "GET /images/{image}/json"),
            ("POST", "/v1.41/images/bottle/agent/tag", "POST /images/{image}/tag"),
            ("DELETE", "/v1.41/images/bottle/agent", "DELETE /images/{image}"),
            ("GET", "/v1.41/networks?filters=x", "GET /networks"), ("GET", "/v1.41/networks/a", "GET /networks/{id}"),
            ("POST", "/v1.41/networks/create", "POST /networks/create"),
            ("DELETE", "/v1.41/networks/a", "DELETE /networks/{id}"),
            ("POST", "/v1.41/networks/a/connect", "POST /networks/{id}/connect"),
            ("POST", "/v1.41/networks/a/disconnect", "POST /networks/{id}/disconnect"),
            ("GET", "/v1.41/volumes", "GET /volumes"), ("POST", "/v1.41/volumes/create", "POST /volumes/create"),
            ("GET", "/v1.41/volumes/a", "GET /volumes/{name}"),
            ("DELETE", "/v1.41/volumes/a", "DELETE /volumes/{name}"),
            // Names that are words of the API.
            ("GET", "/v1.41/containers/json/json", "GET /containers/{id}/json"),
            ("DELETE", "/v1.41/containers/create", "DELETE /containers/{id}"),
            ("GET", "/v1.41/images/json/json", "GET /images/{image}/json"),
            ("DELETE", "/v1.41/volumes/create", "DELETE /volumes/{name}"),
            ("POST", "/v1.41/containers/v1.41/start", "POST /containers/{id}/start"),
        ]
    )
    func known(method: String, target: String, endpoint: String) {
        #expect(EngineEndpoint.of(method: method, target: target) == endpoint)
        #expect(EngineEndpoint.all.contains(endpoint))
    }

    @Test(
        "a request to anything else is one of the others, and shows nothing of its own",
        arguments: [
            ("GET", "/v1.41/secrets/passw0rd"), ("GET", "/v1.41/containers//json"),
            ("GET", "/v1.41/containers/a/b/json"), ("GET", "/v1.41/images//json"), ("PATCH", "/v1.41/containers/json"),
            ("POST", "/v1.41/volumes/prune/all"),
            ("GET", ""), ("GET", "/"), ("GET", "containers/json"), ("G\nT", "/_ping"), ("GET", "/_ping/"),
        ]
    )
    func other(method: String, target: String) {
        #expect(EngineEndpoint.of(method: method, target: target) == EngineEndpoint.other)
    }
}
