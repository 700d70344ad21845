using System.Text;

using Sisyphus.Engine.Execution;

using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

public sealed class LineSplitterTests
{
    [Fact]
    public void Add_ChunksOfEverySize_GiveTheSameLines()
    {
        const string Text = "first\nzweite – ä\r\n\n🪨 rolls\nno end";
        var bytes = Encoding.UTF8.GetBytes(Text);
        for (var size = 1; size <= bytes.Length; size++)
        {
            var splitter = new LineSplitter(1000);
            List<string> lines = [];
            foreach (var chunk in bytes.Chunk(size))
                lines.AddRange(splitter.Add(chunk));
            lines.AddRange(splitter.End() is { } last ? [last] : []);
            Assert.Equal(["first", "zweite – ä", "", "🪨 rolls", "no end"], lines);
        }
    }

    [Fact]
    public void Add_LineLongerThanAllowed_IsCutAndTheNextIsWhole()
    {
        var splitter = new LineSplitter(80);
        var lines = splitter.Add(Encoding.UTF8.GetBytes(new string('x', 100_000) + "\nshort\n")).ToList();
        Assert.Equal([new string('x', 80), "short"], lines);
    }

    [Fact]
    public void End_NothingAfterTheLastLineEnd_IsNull()
    {
        var splitter = new LineSplitter(80);
        Assert.Single(splitter.Add("a\n"u8.ToArray()));
        Assert.Null(splitter.End());
    }

    [Fact]
    public void Add_BytesThatAreNoUtf8_AreReplacedNotLost()
    {
        var splitter = new LineSplitter(80);
        Assert.Equal(["a\uFFFDb"], splitter.Add(new byte[] { (byte)'a', 0xFF, (byte)'b', (byte)'\n' }));
    }
}
