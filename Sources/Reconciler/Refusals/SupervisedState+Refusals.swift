import ReconcilerEngine
import ReconcilerModel
package import ReconcilerProposals
import ReconcilerTime

extension SupervisedState.Refusal {
    package init(_ refused: RefusedRequest) {
        self.init(
            sidecar: refused.sidecar.rawValue,
            host: refused.host,
            port: refused.port,
            method: refused.method,
            path: refused.path,
            rule: refused.rule,
            reason: refused.reason,
            last: Timestamp(seconds: refused.last.seconds).description,
            count: refused.count
        )
    }
}
