import NIOCore

/// The state while one attempt is made.
struct AttemptRun {
    private let driver: AttemptDriver
    private var observation: Observation
    private var wires: [Wire] = []
    private var received: [UInt8] = []
    /// The parser of the newest connection.
    private var parser = AnswerParser()
    private var hasAnswered = false
    /// The tunnel's host as a Host header names it.
    private var tunnelHost = ""

    init(driver: AttemptDriver, name: String) {
        self.driver = driver
        observation = Observation(name: name, began: AttemptDriver.now())
    }

    /// Closes everything and returns the observation.
    mutating func finish() async -> Observation {
        for wire in wires {
            observation.endings.append(await wire.ending())
            await wire.close()
        }
        observation.received = AnswerParser.text(received)
        observation.ended = AttemptDriver.now()
        return observation
    }

    /// Performs a step; false if the remaining steps make no sense.
    mutating func perform(_ step: AttemptStep) async -> Bool {
        switch step {
        case .connect(let target): return await connect(to: target)
        case .send(let payload): await send(payload.bytes)
        case .receive(.answer): _ = await receiveAnswer()
        case .receive(.close): await receiveClose()
        case .receive(.silence): await receiveSilence()
        case .tls(let offer): return await secure(offer)
        case .hello(let hello):
            var random = SystemRandomNumberGenerator()
            await send(hello.record(random: (0..<96).map { _ in UInt8.random(in: .min ... .max, using: &random) }))
        case .tunnel(let tunnel): return await open(tunnel)
        case .get(let path):
            await send(Array("GET \(path) HTTP/1.1\r\nHost: \(tunnelHost)\r\n\r\n".utf8))
            _ = await receiveAnswer()
        case .pause(let amount): try? await Task.sleep(for: .milliseconds(amount))
        case .shutdown:
            note("nothing more is sent")
            await wires.last?.finish()
        case .udp(let target, let payload): await exchangeDatagrams(target, payload.bytes)
        case .resolve(let name): await resolve(name)
        }
        return true
    }

    // MARK: - Steps

    private mutating func connect(to target: String) async -> Bool {
        guard let endpoint = target == "proxy" ? driver.proxy : HostPort(target) else {
            observation.problem = "'\(target)' is no host:port"
            return false
        }
        parser = AnswerParser()
        hasAnswered = false
        let began = ContinuousClock.now
        do {
            wires.append(try await Wire.open(to: endpoint, within: .milliseconds(Int64(driver.limits.connect))))
            note("connected to \(endpoint)", since: began)
            return true
        } catch let failure as ConnectFailure {
            switch failure {
            case .ended(let ending):
                observation.endings.append(ending)
                observation.outcome = .closed
                note("\(endpoint): \(ending.rawValue)", since: began)
            case .unresolved:
                observation.outcome = .closed
                note("\(endpoint): the name has no address", since: began)
            case .silence:
                observation.outcome = .silence
                note("\(endpoint): no answer to the connection", since: began)
            }
        } catch {
            observation.problem = "connect: \(error)"
        }
        return false
    }

    private mutating func send(_ bytes: [UInt8]) async {
        guard let wire = wires.last else { return observation.problem = "there is no connection to send on" }
        guard wire.isOpen else { return note("not sent, since the connection is over: \(bytes.count) bytes") }
        parser.method = .of(bytes)
        let isTaken = await wire.send(bytes, within: .milliseconds(Int64(driver.limits.send)))
        note("sent \(bytes.count) bytes\(isTaken ? "" : ", not all taken")")
    }

    private mutating func secure(_ offer: TLSOffer) async -> Bool {
        guard let wire = wires.last else {
            observation.problem = "there is no connection for TLS"
            return false
        }
        let began = ContinuousClock.now
        do {
            let agreed = try await wire.secure(offer, within: .milliseconds(Int64(driver.limits.receive)))
            waited(since: began)
            note("TLS with SNI \(offer.sni ?? "none")\(agreed.map { ", \($0)" } ?? "")", since: began)
            parser = AnswerParser()
            return true
        } catch is HandshakeSilence {
            waited(since: began)
            observation.isHung = true
            observation.outcome = .silence
            note("TLS: nothing comes", since: began)
        } catch {
            waited(since: began)
            observation.outcome = .closed
            note("TLS: \(error)", since: began)
            if !wire.isOpen { return false }
            // The library itself refused; nothing was sent.
            if await wire.ending() == .open { observation.problem = "TLS: \(error)" }
        }
        return false
    }

    private mutating func open(_ tunnel: AttemptStep.Tunnel) async -> Bool {
        if wires.isEmpty, await !connect(to: "proxy") { return false }
        let target = "\(tunnel.host):\(tunnel.port)"
        tunnelHost = tunnel.port == 443 ? tunnel.host : target
        await send(Array("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n".utf8))
        guard await receiveAnswer() == 200 else { return false }
        return await secure(tunnel.tls)
    }

    // MARK: - Receiving

    /// The status of the next answer; nil if none comes.
    private mutating func receiveAnswer() async -> Int? {
        let end = ContinuousClock.now + .milliseconds(3 * driver.limits.receive)
        while true {
            if let answer = parser.next() { return record(answer) }
            switch await event(until: end) {
            case .bytes(let bytes): parser.feed(bytes)
            case .ended:
                if let answer = parser.last() { return record(answer) }
                observation.outcome = .closed
                return nil
            case .nothing:
                hang()
                return nil
            }
        }
    }

    private mutating func receiveClose() async {
        let end = ContinuousClock.now + .milliseconds(3 * driver.limits.receive)
        while true {
            while let answer = parser.next() { _ = record(answer) }
            switch await event(until: end) {
            case .bytes(let bytes): parser.feed(bytes)
            case .ended:
                if let answer = parser.last() { _ = record(answer) }
                if !hasAnswered { observation.outcome = .closed }
                return
            case .nothing: return hang()
            }
        }
    }

    private mutating func receiveSilence() async {
        guard let wire = wires.last else { return observation.problem = "there is no connection to receive on" }
        if parser.rest.isEmpty {
            switch await wire.next(within: .milliseconds(Int64(driver.limits.silence))) {
            case .nothing:
                observation.outcome = .silence
                return note("silence")
            case .ended(let ending):
                observation.outcome = .closed
                return note("\(ending.rawValue)")
            case .bytes(let bytes):
                keep(bytes)
                parser.feed(bytes)
            }
        }
        if let answer = parser.next() ?? parser.last() { return _ = record(answer) }
        observation.outcome = .bytes
        note("\(parser.rest.count) bytes in place of silence")
    }

    /// The next event on the newest connection; notes how long it took.
    private mutating func event(until end: ContinuousClock.Instant) async -> Wire.Event {
        guard let wire = wires.last else {
            observation.problem = "there is no connection to receive on"
            return .ended(.closed)
        }
        let began = ContinuousClock.now
        guard began < end else { return .nothing }
        let event = await wire.next(within: .milliseconds(Int64(driver.limits.receive)))
        waited(since: began)
        switch event {
        case .bytes(let bytes): keep(bytes)
        case .ended(let ending): note(ending.rawValue, since: began)
        case .nothing: break
        }
        return event
    }

    private mutating func record(_ answer: AttemptAnswer) -> Int {
        observation.answers.append(answer)
        observation.outcome = .status(answer.status)
        // A granted CONNECT says nothing about what is in the tunnel.
        hasAnswered = parser.method != .connect || !(200...299).contains(answer.status)
        note("answer \(answer.status), \(answer.length) bytes\(answer.isWhole ? "" : ", cut")")
        return answer.status
    }

    private mutating func hang() {
        observation.isHung = true
        observation.outcome = parser.rest.isEmpty ? .silence : .bytes
        note("hangs after \(parser.rest.count) bytes")
    }

    private mutating func keep(_ bytes: [UInt8]) {
        received += bytes.prefix(max(0, Observation.keptBytes - received.count))
    }

    // MARK: - Without a connection

    private mutating func exchangeDatagrams(_ target: String, _ bytes: [UInt8]) async {
        guard let endpoint = HostPort(target) else { return observation.problem = "'\(target)' is no host:port" }
        let limit = TimeAmount.milliseconds(Int64(driver.limits.silence))
        switch await Datagram.exchange(bytes, with: endpoint, within: limit) {
        case .bytes(let bytes):
            keep(bytes)
            observation.outcome = .bytes
            note("\(endpoint): a datagram of \(bytes.count) bytes")
        case .ended(let ending):
            observation.outcome = .closed
            note("\(endpoint): \(ending.rawValue)")
        case .nothing:
            observation.outcome = .silence
            note("\(endpoint): silence")
        }
    }

    private mutating func resolve(_ name: String) async {
        let began = ContinuousClock.now
        switch await NameLookup.address(of: name, within: .milliseconds(Int64(driver.limits.receive))) {
        case .found(let address):
            observation.outcome = .address
            note("\(name) is \(address)", since: began)
        case .none:
            observation.outcome = .closed
            note("\(name) has no address", since: began)
        case .silence:
            observation.isHung = true
            observation.outcome = .silence
            note("\(name): the resolver says nothing", since: began)
        }
        waited(since: began)
    }

    // MARK: - Notes

    private mutating func waited(since began: ContinuousClock.Instant) {
        observation.longestWait = max(observation.longestWait, (ContinuousClock.now - began) / .milliseconds(1))
    }

    private mutating func note(_ text: String, since began: ContinuousClock.Instant? = nil) {
        guard observation.trace.count < 64 else { return }
        let spent = began.map { " after \(Int((ContinuousClock.now - $0) / .milliseconds(1))) ms" } ?? ""
        observation.trace.append(text + spent)
    }
}
