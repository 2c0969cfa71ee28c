// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let pureRooms = ["Model", "Desired", "Observed", "Plan", "Sidecar"]
let effectfulRooms = [
    "Platform", "State", "Observation", "Action", "Controller", "Refusals", "Telemetry", "Proposals",
]
/// Each a target of its own.
let closedRooms = ["Manifest", "Engine", "Trust", "Serving", "Supervise", "Verify"]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]

let package = Package(
    name: "bottle",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "bottle", targets: ["bottle-apply"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        // Without its traits it needs no full Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CYAML",
            pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]
        ),

        // The rooms without effects: a planner that could do I/O would not compile here.
        .target(
            name: "ReconcilerModel",
            dependencies: [crypto],
            path: "Sources/Reconciler",
            exclude: effectfulRooms + closedRooms,
            sources: pureRooms,
            swiftSettings: strict
        ),
        // The only room that sees libyaml.
        .target(
            name: "ReconcilerManifest",
            dependencies: ["CYAML", "ReconcilerModel"],
            path: "Sources/Reconciler/Manifest",
            swiftSettings: strict
        ),
        // The Docker Engine API; knows nothing of ours.
        .target(
            name: "ReconcilerEngine",
            dependencies: nio,
            path: "Sources/Reconciler/Engine",
            swiftSettings: strict
        ),
        // Certificate authorities and secrets: the only room that waits for X.509.
        .target(
            name: "ReconcilerTrust",
            dependencies: [
                "ReconcilerModel",
                crypto,
                .product(name: "_CryptoExtras", package: "swift-crypto"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            path: "Sources/Reconciler/Trust",
            swiftSettings: strict
        ),
        // Listeners on loopback: whatever of ours is asked over HTTP passes the checks in here.
        .target(
            name: "ReconcilerServing",
            dependencies: [
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Reconciler/Serving",
            swiftSettings: strict
        ),
        // The MCP server inside the supervise sidecar: the one part of ours that an agent talks to.
        .target(
            name: "ReconcilerSupervise",
            dependencies: [
                "Reconciler", "ReconcilerManifest", "ReconcilerModel",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Reconciler/Supervise",
            swiftSettings: strict
        ),
        // Attempts to escape from a bottle: performs and judges them. The only room that waits for TLS as a client.
        .target(
            name: "ReconcilerVerify",
            dependencies: [
                "ReconcilerManifest", "ReconcilerModel",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Sources/Reconciler/Verify",
            swiftSettings: strict
        ),
        .target(
            name: "Reconciler",
            dependencies: [
                "ReconcilerModel", "ReconcilerManifest", "ReconcilerEngine", "ReconcilerTrust", crypto,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Reconciler",
            exclude: pureRooms + closedRooms,
            sources: effectfulRooms,
            swiftSettings: strict
        ),
        .executableTarget(
            name: "bottle-apply",
            dependencies: [
                "Reconciler", "ReconcilerModel", "ReconcilerManifest", "ReconcilerEngine", "ReconcilerServing",
                "ReconcilerSupervise", "ReconcilerTrust", "ReconcilerVerify",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        // Support for tests: the engine in memory, and an engine that fails as told.
        .target(
            name: "EngineTestSupport",
            dependencies: ["ReconcilerEngine", "ReconcilerModel"],
            path: "Tests/EngineSupport",
            swiftSettings: strict
        ),
        // Many bottles on the engine in memory, timed: `scripts/bench-loop` builds it.
        .executableTarget(
            name: "loop-bench",
            dependencies: [
                "EngineTestSupport", "Reconciler", "ReconcilerEngine", "ReconcilerManifest", "ReconcilerModel",
            ],
            path: "Tests/LoopBench",
            swiftSettings: strict
        ),
        // Random numbers that a seed repeats.
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: strict),
        .testTarget(
            name: "ReconcilerModelTests",
            dependencies: ["Reconciler", "ReconcilerEngine", "ReconcilerModel", "SeededRandom"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerManifestTests",
            dependencies: ["ReconcilerManifest", "ReconcilerModel", "SeededRandom"],
            exclude: ["schema-check.py"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerEngineTests",
            dependencies: ["EngineTestSupport", "ReconcilerEngine"] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerTrustTests",
            dependencies: ["Reconciler", "ReconcilerModel", "ReconcilerTrust"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerStateTests",
            dependencies: [
                "Reconciler", "ReconcilerEngine", "ReconcilerManifest", "ReconcilerModel", "ReconcilerTrust",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerServingTests",
            dependencies: [
                "ReconcilerServing",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        // Talks to the MCP server over real sockets.
        .testTarget(
            name: "ReconcilerSuperviseTests",
            dependencies: ["bottle-apply", "Reconciler", "ReconcilerModel", "ReconcilerSupervise"],
            exclude: ["clients"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerVerifyTests",
            dependencies: [
                "ReconcilerModel", "ReconcilerVerify", crypto,
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        // Drives whole passes against the engine in memory: crashes at every call, every drift.
        .testTarget(
            name: "ReconcilerLoopTests",
            dependencies: [
                "EngineTestSupport", "Reconciler", "ReconcilerEngine", "ReconcilerManifest", "ReconcilerModel",
                "SeededRandom",
            ],
            swiftSettings: strict
        ),
        // Drives the built executable against a real engine.
        .testTarget(
            name: "BottleTests",
            dependencies: [
                "bottle-apply", "Reconciler", "ReconcilerEngine", "ReconcilerModel", "ReconcilerVerify",
                "SeededRandom",
            ],
            exclude: ["attacks", "NaiveProxy", "Toolbox"],
            swiftSettings: strict
        ),
    ]
)
