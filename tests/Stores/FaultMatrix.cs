using Sisyphus.Tests.StoreEmulator.Faults;
using Xunit;

namespace Sisyphus.Tests.Stores;

/// <summary>Lines of a table that the report of a test run holds: store | what was asked | fault | how often | outcome | requests | bytes of content sent again | most bytes in memory.</summary>
internal static class FaultMatrix
{
    public const string Overcome = "overcome", FoundOut = "found out";

    /// <param name="again">Bytes of content beyond those that a run without a fault sends.</param>
    /// <param name="memory">Bytes.</param>
    public static void Report(string store, string operation, FaultKind kind, bool once, string outcome, int requests, long again, long memory) =>
        TestContext.Current.TestOutputHelper!.WriteLine($"| {store} | {operation} | {kind} | {(once ? "once" : "always")} | {outcome} | {requests} | {again} | {memory} |");
}
