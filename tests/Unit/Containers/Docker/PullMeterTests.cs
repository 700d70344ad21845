using Docker.DotNet.Models;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Containers.Docker;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

public sealed class PullMeterTests
{
    [Fact]
    public void Add_MessagesOfTwoLayers_AddUpAndNeverGoBack()
    {
        var meter = new PullMeter();
        Assert.Equal(new PullProgress("Pulling from library/alpine", 0, 0), meter.Add(new() { Status = "Pulling from library/alpine" }));
        Add("a", "Downloading", 10, 100, 10, 100);
        Add("b", "Downloading", 5, 50, 15, 150);
        Add("a", "Downloading", 100, 100, 105, 150);
        Add("a", "Download complete", null, null, 105, 150);
        Add("a", "Extracting", 1, 100, 105, 150);
        Add("b", "Downloading", 50, 50, 150, 150);
        Add("a", "Pull complete", null, null, 150, 150);
        Assert.Equal(new PullProgress("Status: done", 150, 150), meter.Add(new() { Status = "Status: done" }));

        void Add(string layer, string status, long? current, long? total, long bytes, long all) =>
            Assert.Equal(new PullProgress(status, bytes, all), meter.Add(new() { ID = layer, Status = status, Progress = new JSONProgress { Current = current, Total = total } }));
    }
}
