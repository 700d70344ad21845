using System.Text;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

/// <summary>Whatever bytes come, the reader answers with documents or with errors that have a place in the text.</summary>
public sealed class DamagedDocumentsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TryReadAll_DamagedText_AnswersWithErrorsInTheText(int seed)
    {
        var random = new Random(seed);
        var generated = new GeneratedDocuments(seed);
        var damaged = 0;
        for (var i = 0; i < 3000; i++)
        {
            var json = Damage(random, TaskDocumentWriter.Write(generated.Next(), indented: i % 2 == 0));
            var lines = Encoding.UTF8.GetString(json).Split('\n').Length;

            if (TaskDocumentReader.TryReadAll(json, out _, out var errors))
                continue;
            damaged++;
            Assert.NotEmpty(errors);
            Assert.All(errors, error => Assert.InRange(error.Line, 1, lines));
            Assert.All(errors, error => Assert.InRange(error.Column, 1, json.Length + 1));
            Assert.All(errors, error => Assert.StartsWith("$", error.Path, StringComparison.Ordinal));
        }
        Assert.InRange(damaged, 1500, 3000);
    }

    private static byte[] Damage(Random random, byte[] json)
    {
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(json.Length);
            json = random.Next(4) switch
            {
                0 => [.. json[..at], (byte)random.Next(256), .. json[(at + 1)..]],
                1 => [.. json[..at], .. json[(at + 1)..]],
                2 => [.. json[..at], (byte)"{}[]\",:\\'/ 0-\n"[random.Next(14)], .. json[at..]],
                _ => json[..Math.Max(1, at)],
            };
        }
        return json;
    }
}
