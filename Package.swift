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

let pureRooms = ["Model", "Desired", "Record", "Observed", "Plan", "Report", "Sidecar"]
let stateRooms = ["State", "Audit"]
let loopRooms = ["Images", "Observation", "Action", "Controller", "Refusals", "Telemetry"]
/// Each a target of its own.
let closedRooms = [
    "Time", "Platform", "Manifest", "Engine", "Trust", "Proposals", "Operations", "Serving", "Supervise", "Verify",
]

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

        // Moments and clocks: all that every other room may use.
        .target(name: "ReconcilerTime", path: "Sources/Reconciler/Time", swiftSettings: strict),
        // The rooms without effects: a planner that could do I/O would not compile here.
        .target(
            name: "ReconcilerModel",
            dependencies: ["ReconcilerTime", crypto],
            path: "Sources/Reconciler",
            exclude: stateRooms + loopRooms + closedRooms,
            sources: pureRooms,
            swiftSettings: strict
        ),
        // The operating system: files, locks, programs, sockets. Knows nothing of bottles.
        .target(
            name: "ReconcilerPlatform",
            dependencies: [
                "ReconcilerTime",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Reconciler/Platform",
            swiftSettings: strict
        ),
        // The only room that sees libyaml.
        .target(
            name: "ReconcilerManifest",
            dependencies: ["CYAML", "ReconcilerModel", "ReconcilerTime"],
            path: "Sources/Reconciler/Manifest",
            resources: [.embedInCode("Hosts/public-suffixes.txt")],
            swiftSettings: strict
        ),
        // The Docker Engine API; knows nothing of ours.
        .target(
            name: "ReconcilerEngine",
            dependencies: ["ReconcilerTime"] + nio,
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
        // The desired-state repository, the state folder and the audit log. Only this target can commit.
        .target(
            name: "ReconcilerState",
            dependencies: [
                "ReconcilerModel", "ReconcilerManifest", "ReconcilerPlatform", "ReconcilerTime", "ReconcilerTrust",
                crypto,
            ],
            path: "Sources/Reconciler",
            exclude: pureRooms + loopRooms + closedRooms,
            sources: stateRooms,
            swiftSettings: strict
        ),
        // What agents ask for, and the queue it waits in. Neither the engine nor a commit can be reached from here.
        .target(
            name: "ReconcilerProposals",
            dependencies: ["ReconcilerModel", "ReconcilerManifest", "ReconcilerPlatform", "ReconcilerTime"],
            path: "Sources/Reconciler/Proposals",
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
                "ReconcilerManifest", "ReconcilerModel", "ReconcilerPlatform", "ReconcilerProposals",
                "ReconcilerTime",
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
                "ReconcilerModel", "ReconcilerManifest", "ReconcilerEngine", "ReconcilerPlatform",
                "ReconcilerProposals", "ReconcilerState", "ReconcilerTime", "ReconcilerTrust",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Reconciler",
            exclude: pureRooms + stateRooms + closedRooms,
            sources: loopRooms,
            swiftSettings: strict
        ),
        // The use cases, for every front end. It prints nothing and asks nothing.
        .target(
            name: "ReconcilerOperations",
            dependencies: [
                "Reconciler", "ReconcilerModel", "ReconcilerManifest", "ReconcilerEngine", "ReconcilerPlatform",
                "ReconcilerProposals", "ReconcilerState", "ReconcilerTime", "ReconcilerTrust",
            ],
            path: "Sources/Reconciler/Operations",
            swiftSettings: strict
        ),
        // The command line: options, questions and what is printed. It can name neither the engine nor the state.
        .executableTarget(
            name: "bottle-apply",
            dependencies: [
                "ReconcilerManifest", "ReconcilerModel", "ReconcilerOperations", "ReconcilerPlatform",
                "ReconcilerProposals", "ReconcilerServing", "ReconcilerSupervise", "ReconcilerTime",
                "ReconcilerVerify",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        // Support for tests: the engine in memory, and an engine that fails as told.
        .target(
            name: "EngineTestSupport",
            dependencies: ["ReconcilerEngine", "ReconcilerModel", "ReconcilerTime"],
            path: "Tests/EngineSupport",
            swiftSettings: strict
        ),
        // Times the built executable on a real engine, and the loop on the one in memory: `scripts/bench` builds it.
        .executableTarget(
            name: "bench",
            dependencies: [
                "EngineTestSupport", "Reconciler", "ReconcilerEngine", "ReconcilerManifest", "ReconcilerModel",
                "ReconcilerPlatform", "ReconcilerState", "ReconcilerTime",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/Bench",
            exclude: ["agent", "Loop/peer.jq", "tools"],
            swiftSettings: strict
        ),
        // Random numbers that a seed repeats.
        .target(name: "SeededRandom", path: "Tests/SeededRandom", swiftSettings: strict),
        // The bottle that tests start from, random edits of it, and plans as text.
        .target(
            name: "ModelTestSupport",
            dependencies: ["ReconcilerModel", "SeededRandom"],
            path: "Tests/ModelSupport",
            swiftSettings: strict
        ),
        // Folders that go with their test, and programs run in them.
        .target(
            name: "ScratchTestSupport",
            dependencies: ["ReconcilerPlatform"],
            path: "Tests/ScratchSupport",
            swiftSettings: strict
        ),
        // Pure: nothing here can reach an engine or a disk.
        .testTarget(
            name: "ReconcilerModelTests",
            dependencies: ["ModelTestSupport", "ReconcilerModel", "ReconcilerTime", "SeededRandom"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerPlatformTests",
            dependencies: ["ReconcilerPlatform", "ReconcilerTime", "ScratchTestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerManifestTests",
            dependencies: [
                "ReconcilerManifest", "ReconcilerModel", "ReconcilerPlatform", "ReconcilerTime", "ScratchTestSupport",
                "SeededRandom",
            ],
            exclude: ["schema-check.py"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerEngineTests",
            dependencies: ["EngineTestSupport", "ReconcilerEngine", "ReconcilerTime"] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerTrustTests",
            dependencies: ["ReconcilerModel", "ReconcilerPlatform", "ReconcilerState", "ReconcilerTrust"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerStateTests",
            dependencies: [
                "ReconcilerManifest", "ReconcilerModel", "ReconcilerPlatform", "ReconcilerState", "ReconcilerTime",
                "ReconcilerTrust", "ScratchTestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ReconcilerProposalsTests",
            dependencies: [
                "ReconcilerManifest", "ReconcilerModel", "ReconcilerPlatform", "ReconcilerProposals",
                "ReconcilerTime", "ScratchTestSupport",
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
            dependencies: [
                "bottle-apply", "ReconcilerModel", "ReconcilerPlatform", "ReconcilerProposals", "ReconcilerSupervise",
                "ReconcilerTime",
            ],
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
        // The rooms with effects, on the engine in memory; Loop: whole passes, with a crash at every call.
        .testTarget(
            name: "ReconcilerTests",
            dependencies: [
                "EngineTestSupport", "ModelTestSupport", "Reconciler", "ReconcilerEngine", "ReconcilerManifest",
                "ReconcilerModel", "ReconcilerOperations", "ReconcilerPlatform", "ReconcilerProposals",
                "ReconcilerState", "ReconcilerTime", "ScratchTestSupport", "SeededRandom",
            ],
            exclude: ["Upgrade/StoredFiles"],
            swiftSettings: strict
        ),
        // Drives the built executable against a real engine.
        .testTarget(
            name: "BottleTests",
            dependencies: [
                "bottle-apply", "Reconciler", "ReconcilerEngine", "ReconcilerModel", "ReconcilerOperations",
                "ReconcilerPlatform", "ReconcilerProposals", "ReconcilerState", "ReconcilerTime", "ReconcilerVerify",
                "SeededRandom",
            ],
            exclude: ["attacks", "NaiveProxy", "Toolbox"],
            swiftSettings: strict
        ),
    ]
)

// A module can be imported only by the targets that list it. Without this the compiler finds every module that was
// built before, so that a list would say nothing.
for target in package.targets where target.type == .regular {
    let clients = package.targets.filter { client in
        client.dependencies.contains { dependency in
            guard case .byNameItem(target.name, _) = dependency else { return false }
            return true
        }
    }
    let flags = clients.flatMap {
        ["-Xfrontend", "-allowable-client", "-Xfrontend", $0.name.split(separator: "-").joined(separator: "_")]
    }
    target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(flags)]
}
