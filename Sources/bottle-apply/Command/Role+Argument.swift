import ArgumentParser
import ReconcilerModel

extension Role: ExpressibleByArgument {}
