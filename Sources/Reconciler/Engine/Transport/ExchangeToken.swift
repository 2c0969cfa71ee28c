/// Identifies one exchange on a connection, so that a late cancellation can't hit the next one.
final class ExchangeToken: Sendable {}
