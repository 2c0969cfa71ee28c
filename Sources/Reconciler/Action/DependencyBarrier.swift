/// Makes actions wait for others of the same plan.
actor DependencyBarrier {
    private enum State { case waiting, done, failed }
    private var states: [State]
    private var waiters: [(needs: [Int], continuation: CheckedContinuation<Bool, Never>)] = []

    init(count: Int) { states = Array(repeating: .waiting, count: count) }

    /// Waits until all of `needs` have ended; returns whether all were done.
    func pass(_ needs: [Int]) async -> Bool {
        if let answer = verdict(needs) { return answer }
        return await withCheckedContinuation { waiters.append((needs, $0)) }
    }

    /// Records how action `index` ended.
    ///
    /// Called once for each action.
    func finish(_ index: Int, succeeded: Bool) {
        states[index] = succeeded ? .done : .failed
        var rest: [(needs: [Int], continuation: CheckedContinuation<Bool, Never>)] = []
        for waiter in waiters {
            if let answer = verdict(waiter.needs) {
                waiter.continuation.resume(returning: answer)
            } else {
                rest.append(waiter)
            }
        }
        waiters = rest
    }

    private func verdict(_ needs: [Int]) -> Bool? {
        if needs.contains(where: { states[$0] == .failed }) { return false }
        return needs.allSatisfy { states[$0] == .done } ? true : nil
    }
}
