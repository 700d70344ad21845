using Sisyphus.Engine.Execution;

using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

public sealed class TaskRunnerOptionsTests
{
    public static TheoryData<string, Action<TaskRunnerOptions>> Bad => new()
    {
        { "Concurrency is 0; allowed: 1 to 256.", options => options.Concurrency = 0 },
        { "Concurrency is 257; allowed: 1 to 256.", options => options.Concurrency = 257 },
        { "WorkDirectory is relative; allowed: an absolute path.", options => options.WorkDirectory = "relative" },
        { "NodeName is ; allowed: 1 to 128 characters.", options => options.NodeName = "" },
        { "StopGrace is -00:00:01; allowed: 0 s to 10 min.", options => options.StopGrace = TimeSpan.FromSeconds(-1) },
        { "TailLines is -1; allowed: 0 to 10,000.", options => options.TailLines = -1 },
        { "MaxLineLength is 1; allowed: 80 to 1,048,576.", options => options.MaxLineLength = 1 },
        { "InputCacheSize is -1; allowed: 0 or more bytes.", options => options.InputCacheSize = -1 },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Validate_OutOfRange_NamesOptionValueAndRange(string message, Action<TaskRunnerOptions> change)
    {
        var options = new TaskRunnerOptions { WorkDirectory = Path.GetTempPath() };
        options.Validate();
        change(options);
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
    }
}
