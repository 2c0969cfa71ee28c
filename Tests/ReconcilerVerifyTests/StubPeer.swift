import Crypto
import FoundationEssentials
import NIOCore
import NIOPosix
import NIOSSL
import ReconcilerVerify
import SwiftASN1
import X509

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A server on loopback that does one thing with each client.
struct StubPeer {
    enum Habit: Sendable {
        /// Answers the first bytes with these texts, one after another.
        case answers([String])
        /// Answers and closes.
        case answersAndCloses(String)
        case closes
        /// Ends the connection without the usual farewell.
        case resets
        case hangs
        /// Speaks TLS with clients that do, and answers inside.
        case securely(String)
        /// Grants a CONNECT, then speaks TLS.
        case tunnels(String)
    }

    /// Runs `body` beside it.
    static func run(_ habit: Habit, _ body: (HostPort) async throws -> Void) async throws {
        let context = try tls()
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if case .securely = habit {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Behaviour(habit, context))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { listener.close(promise: nil) }
        try await body(HostPort(host: "127.0.0.1", port: listener.localAddress?.port ?? 0))
    }

    private static func tls() throws -> NIOSSLContext {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let name = try DistinguishedName { CommonName("stub") }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: Date().addingTimeInterval(-86_400),
            notValidAfter: Date().addingTimeInterval(86_400),
            issuer: name,
            subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions { Critical(KeyUsage(digitalSignature: true)) },
            issuerPrivateKey: key
        )
        let texts = (try certificate.serializeAsPEM().pemString, try key.serializeAsPEM().pemString)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: Array(texts.0.utf8), format: .pem))],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(texts.1.utf8), format: .pem))
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private final class Behaviour: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var habit: Habit
        private let context: NIOSSLContext

        init(_ habit: Habit, _ context: NIOSSLContext) {
            self.habit = habit
            self.context = context
        }

        func channelActive(context: ChannelHandlerContext) {
            if case .closes = habit { context.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch habit {
            case .answers(let texts):
                for text in texts { write(text, context) }
            case .answersAndCloses(let text):
                write(text, context)
                context.close(promise: nil)
            case .securely(let text): write(text, context)
            case .tunnels(let text):
                write("HTTP/1.1 200 OK\r\n\r\n", context)
                habit = .securely(text)
                let handler = NIOSSLServerHandler(context: self.context)
                _ = try? context.pipeline.syncOperations.addHandler(handler, position: .before(self))
            case .resets:
                let now = linger(l_onoff: 1, l_linger: 0)
                (context.channel as? any SocketOptionProvider)?.setSoLinger(now).assumeIsolated().whenComplete { _ in
                    context.close(promise: nil)
                }
            case .hangs, .closes: return
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        }
    }
}
