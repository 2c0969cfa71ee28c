import Testing

/// Tests over one bottle with routes, a firewall and an internet, one after the other.
@Suite("A live bottle", .serialized, .needsEngine, FixtureTrait())
enum LiveBottle {}
