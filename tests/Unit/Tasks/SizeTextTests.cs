using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class SizeTextTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1048576", 1048576)]
    [InlineData("12B", 12)]
    [InlineData("64k", 64000)]
    [InlineData("64kB", 64000)]
    [InlineData("64K", 64000)]
    [InlineData("64Ki", 65536)]
    [InlineData("512MiB", 536870912)]
    [InlineData("512mib", 536870912)]
    [InlineData("1.5GB", 1500000000)]
    [InlineData("1.5 GiB", 1610612736)]
    [InlineData("2T", 2000000000000)]
    [InlineData("1PiB", 1125899906842624)]
    [InlineData("0.0005kB", 1)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Parse_EveryForm_IsTheBytes(string text, long bytes) => Assert.Equal(bytes, SizeText.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("1 000")]
    [InlineData("1,5GB")]
    [InlineData(".5G")]
    [InlineData("1iB")]
    [InlineData("1GG")]
    [InlineData("1e9")]
    [InlineData("12MiB\n")]
    [InlineData("12EiB")]
    [InlineData("9223372036854775808")]
    [InlineData("8192PiB")]
    [InlineData("99999999999999999999999999999999999999")]
    public void TryParse_NoSize_SaysWhy(string text)
    {
        Assert.False(SizeText.TryParse(text, out _, out var error));
        Assert.Contains($"\"{text}\" is ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1000, "1kB")]
    [InlineData(1024, "1KiB")]
    [InlineData(1536, "1536")]
    [InlineData(536870912, "512MiB")]
    [InlineData(1500000000, "1500MB")]
    [InlineData(1000001, "1000001")]
    public void Format_Bytes_IsShortAndExact(long bytes, string expected) => Assert.Equal(expected, SizeText.Format(bytes));

    [Fact]
    public void Format_RandomSizes_ReadBackEqual()
    {
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = random.NextInt64(1L << random.Next(1, 62)) << random.Next(0, 2) * 10 & long.MaxValue;
            Assert.Equal(bytes, SizeText.Parse(SizeText.Format(bytes)));
        }
    }
}
