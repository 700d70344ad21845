using Sisyphus.Engine.Storage.Directories;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Directories;

public sealed class KeyPathTests
{
    [Theory]
    [InlineData("data/clear", "data/clear")]
    [InlineData("a b#c?d+e&f", "a b#c?d+e&f")]
    [InlineData("100%.txt", "100%.txt")]
    [InlineData("a%20b.txt", "a%20b.txt")]
    [InlineData("日本語/😀", "日本語/😀")]
    [InlineData(".hidden", ".hidden")]
    [InlineData("a/.sisyphus-tmp", "a/.sisyphus-tmp")]
    [InlineData("%20b", "%2520b")]
    [InlineData("%zz", "%zz")]
    [InlineData(".", "%2E")]
    [InlineData("..", "%2E.")]
    [InlineData("a/../b", "a/%2E./b")]
    [InlineData("/a", "%2F/a")]
    [InlineData("a/", "a/%2F")]
    [InlineData("a//b", "a/%2F/b")]
    [InlineData("a\0b", "%61%00b")]
    [InlineData("ä\0%", "%C3%A4%00%25")]
    [InlineData(".sisyphus-tmp/x", "%2Esisyphus-tmp/x")]
    [InlineData("CON/a:b/c.", "CON/a:b/c.")]
    public void Encode_OnUnix_EscapesOnlyWhatNoNameCanBe(string key, string path) => Assert.Equal(path, KeyPath.Encode(key, windows: false));

    [Theory]
    [InlineData("data/clear", "data/clear")]
    [InlineData("CON", "%43ON")]
    [InlineData("nul.txt", "%6Eul.txt")]
    [InlineData("COM1/LPT10", "%43OM1/LPT10")]
    [InlineData("a:b", "%61%3Ab")]
    [InlineData("a\\b", "%61%5Cb")]
    [InlineData("c.", "%63%2E")]
    [InlineData("c ", "%63%20")]
    [InlineData("a\u0001", "%61%01")]
    public void Encode_OnWindows_EscapesWhatWindowsCannotName(string key, string path) => Assert.Equal(path, KeyPath.Encode(key, windows: true));

    [Fact]
    public void Encode_SegmentTooLongForAName_IsSplitIntoNamesThatFit()
    {
        var path = KeyPath.Encode(new string('k', 600), windows: false);
        Assert.Equal($"%2F{new string('k', 252)}/%2F{new string('k', 252)}/{new string('k', 96)}", path);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Encode_RandomKeys_DecodeToThemselvesAndNeverLeaveTheFolder(bool windows)
    {
        const string Alphabet = "%%%%2FE5a./.\0 :\\ä😀K";
        var random = new Random(20261124);
        var seen = new Dictionary<string, string>();
        for (var round = 0; round < 20_000; round++)
        {
            var key = string.Concat(Enumerable.Range(0, random.Next(1, round % 50 == 0 ? 400 : 12)).Select(_ => Pick(random, Alphabet)));
            var path = KeyPath.Encode(key, windows);
            Assert.Equal(key, DecodePath(path));
            Assert.All(path.Split('/'), name => Assert.True(name is not ("" or "." or "..") && !name.Contains('\0') && System.Text.Encoding.UTF8.GetByteCount(name) <= 255, name));
            Assert.Equal(key, seen.TryGetValue(path, out var other) ? other : seen[path] = key);
        }
    }

    private static string Pick(Random random, string alphabet)
    {
        var runes = alphabet.EnumerateRunes().ToArray();
        return runes[random.Next(runes.Length)].ToString();
    }

    private static string DecodePath(string path)
    {
        var key = "";
        var separator = "";
        foreach (var name in path.Split('/'))
        {
            var text = KeyPath.Decode(name, out var continues);
            Assert.NotNull(text);
            key += separator + text;
            separator = continues ? "" : "/";
        }
        return key;
    }
}
