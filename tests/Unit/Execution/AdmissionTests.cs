using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

public sealed class AdmissionTests
{
    private static readonly TaskDocument s_document = new()
    {
        Image = "registry.example/tools:1",
        Commands = [new TaskCommand(["true"])],
        Inputs = [new TaskInput(new RemotePath(null, "data", "in"), "/in")],
        Outputs = [new TaskOutput(new RemotePath(null, "results", "out"), TaskOutputKind.File, "/out")],
    };

    [Fact]
    public void Check_DefaultPolicy_AllowsAnyImageAndBucket() => Admission.Check(s_document, new NodePolicy());

    [Fact]
    public void Check_EverythingListed_Allows() =>
        Admission.Check(s_document, new NodePolicy { Images = ["registry.example/*"], Buckets = ["data", "res*"], Networks = [TaskNetwork.Bridge] });

    [Fact]
    public void Check_ImageNotListed_IsDenied() => AssertDenied(s_document, new NodePolicy { Images = ["alpine*"] }, "registry.example/tools:1");

    [Fact]
    public void Check_OutputBucketNotListed_IsDenied() => AssertDenied(s_document, new NodePolicy { Buckets = ["data"] }, "results:out");

    [Fact]
    public void Check_NetworkNotListed_IsDenied() => AssertDenied(s_document, new NodePolicy { Networks = [TaskNetwork.None] }, "Bridge");

    [Fact]
    public void Check_UserChosen_IsDeniedUnlessThePolicyAllowsIt()
    {
        var document = s_document with { User = "12345:12345" };
        AssertDenied(document, new NodePolicy(), "12345:12345");
        Admission.Check(document, new NodePolicy { AllowUser = true });
    }

    private static void AssertDenied(TaskDocument document, NodePolicy policy, string named)
    {
        var failure = Assert.Throws<TaskFailureException>(() => Admission.Check(document, policy));
        Assert.Equal(FailureReason.PolicyDenied, failure.Reason);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }
}
