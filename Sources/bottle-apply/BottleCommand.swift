import ArgumentParser
import ReconcilerModel

@main
struct BottleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bottle",
        abstract: "Run AI coding agents unattended and safely.",
        discussion: """
            Each agent lives in a container that reaches only a few sidecars; they hold every credential and let out \
            only what the manifest names. What should be is written down; bottle makes it so.

              bottle init > bottle.yaml             start a manifest
              bottle apply -f bottle.yaml           make it so, or change what is running
              bottle diff -f bottle.yaml            what apply would do
            """,
        version: Version.text,
        subcommands: [
            Apply.self, Diff.self, Validate.self, Init.self, Get.self, Describe.self, Delete.self, RunCommand.self,
            Wait.self, Logs.self, Denied.self, Proposals.self, Approve.self, Reject.self, Grant.self, Revoke.self,
            Edit.self, Remediations.self, Export.self, History.self, Rollback.self, Audit.self, Images.self,
            Doctor.self, SchemaCommand.self, VersionCommand.self, AttemptCommand.self, SuperviseServerCommand.self,
        ]
    )
}
