using System.Text;
using Sisyphus.Engine.Storage.Checksums;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Checksums;

public sealed class Crc32CTests
{
    // The last four from RFC 3720, appendix B.4.
    public static TheoryData<byte[], uint> Vectors => new()
    {
        { [], 0 },
        { Encoding.ASCII.GetBytes("123456789"), 0xe3069283 },
        { new byte[32], 0x8a9136aa },
        { [.. Enumerable.Repeat((byte)0xff, 32)], 0x62a8ab43 },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 0x46dd794e },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))], 0x113fdb5c },
    };

    [Theory, MemberData(nameof(Vectors))]
    public void Of_PublishedVector_IsItsValue(byte[] content, uint expected) => Assert.Equal(expected, Crc32C.Of(content));

    [Fact]
    public void Append_AnySplit_IsTheSame()
    {
        var content = StoreAssertions.Content(1000);
        for (var split = 0; split <= 40; split++)
        {
            var crc = new Crc32C();
            crc.Append(content.AsSpan(0, split));
            crc.Append(content.AsSpan(split));
            Assert.Equal(Crc32C.Of(content), crc.Value);
        }
    }

    [Fact]
    public void ToText_LeadingZeros_KeepsThem() => Assert.Equal("0000abcd", Crc32C.ToText(0xabcd));

    [Fact]
    public async Task HashingStream_ReadThrough_HasSizeAndBothChecksums()
    {
        using var stream = new HashingStream(new MemoryStream(Encoding.ASCII.GetBytes("abc")));
        await stream.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal(new ContentSums(3, 0x364b3fb7, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), stream.Current);
    }
}
