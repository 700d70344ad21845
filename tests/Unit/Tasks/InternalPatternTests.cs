using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class InternalPatternTests
{
    [Theory]
    [InlineData("/out/*.txt", "a.txt", true)]
    [InlineData("/out/*.txt", ".txt", false)]
    [InlineData("/out/*.txt", ".a.txt", false)]
    [InlineData("/out/.*", ".a", true)]
    [InlineData("/out/?", ".", false)]
    [InlineData("/out/[.]a", ".a", false)]
    [InlineData("/out/[!b]a", ".a", false)]
    [InlineData("/out/\\.*", ".a", true)]
    [InlineData("/out/*.txt", "sub/a.txt", false)]
    [InlineData("/out/*/a", "sub/a", true)]
    [InlineData("/out/*/a", "sub/.x/a", false)]
    [InlineData("/out/*/a", ".sub/a", false)]
    [InlineData("/out/a*b*c", "aXbXbYc", true)]
    [InlineData("/out/a*b*c", "aXbXbY", false)]
    [InlineData("/out/a*", "a", true)]
    [InlineData("/out/?x", "🙂x", true)]
    [InlineData("/out/??x", "🙂x", false)]
    [InlineData("/out/[a-c]", "b", true)]
    [InlineData("/out/[a-c]", "B", false)]
    [InlineData("/out/[!a-c]", "d", true)]
    [InlineData("/out/[^a-c]", "b", false)]
    [InlineData("/out/[]]x", "]x", true)]
    [InlineData("/out/[!]]x", "]x", false)]
    [InlineData("/out/[a-]x", "-x", true)]
    [InlineData("/out/[-a]x", "-x", true)]
    [InlineData("/out/[\\]a]x", "]x", true)]
    [InlineData("/out/[[:digit:]_]x", "7x", true)]
    [InlineData("/out/[[:digit:]_]x", "_x", true)]
    [InlineData("/out/[[:digit:]_]x", "ax", false)]
    [InlineData("/out/[![:upper:]]x", "Ax", false)]
    [InlineData("/out/[[.-.]a]x", "-x", true)]
    [InlineData("/out/[[=a=]]x", "ax", true)]
    [InlineData("/out/*[", "a[", true)]
    [InlineData("/out/*[a", "x[a", true)]
    [InlineData("/out/\\**", "*b", true)]
    [InlineData("/out/\\**", "ab", false)]
    [InlineData("/out/*", "new\nline", true)]
    public void IsMatch_NameBelowTheBase_FollowsGlob7(string pattern, string name, bool expected) =>
        Assert.Equal(expected, InternalPattern.Parse(pattern).IsMatch(name));

    [Fact]
    public void IsMatch_ManyStars_TakesNoExponentialTime()
    {
        var pattern = InternalPattern.Parse("/out/" + string.Concat(Enumerable.Repeat("*a", 60)).Replace("**", "*", StringComparison.Ordinal) + "b");

        Assert.False(pattern.IsMatch(new string('a', 250)));
    }

    [Theory]
    [InlineData("/out/*.txt", "/out", 1)]
    [InlineData("/a/b/*/c?", "/a/b", 2)]
    [InlineData("/a\\*b/c/*", "/a*b/c", 1)]
    public void Parse_Pattern_BaseIsTheLastDirectoryBeforeAWildcard(string pattern, string directory, int depth)
    {
        var parsed = InternalPattern.Parse(pattern);

        Assert.Equal((directory, depth), (parsed.BaseDirectory, parsed.Depth));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("sub", true)]
    [InlineData("Sub", false)]
    [InlineData("sub/deeper", true)]
    [InlineData("sub/deeper/deepest", false)]
    public void CanMatchBelow_Directory_SparesTheOthers(string directory, bool expected) =>
        Assert.Equal(expected, InternalPattern.Parse("/out/s*/*/x").CanMatchBelow(directory));

    [Theory]
    [InlineData("/out/a")]
    [InlineData("/out/\\*")]
    [InlineData("/*")]
    [InlineData("out/*")]
    [InlineData("/out/**")]
    [InlineData("")]
    public void Parse_NoPattern_Throws(string text) => Assert.Throws<FormatException>(() => InternalPattern.Parse(text));

    [Theory]
    [InlineData("/a*b?c[d]e\\f")]
    [InlineData("/plain")]
    [InlineData("/ends\\")]
    public void Escape_AnyPath_UnescapesToItself(string path)
    {
        Assert.False(InternalPattern.HasWildcard(InternalPattern.Escape(path)));
        Assert.Equal(path, InternalPattern.Unescape(InternalPattern.Escape(path)));
    }
}
