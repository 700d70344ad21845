using System.Diagnostics;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

/// <summary>A method of this assembly in a process of its own.</summary>
internal static class OtherProcess
{
    public static Process Start(Type type, string method, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true, UseShellExecute = false, FileName = Environment.ProcessPath! };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(type.Assembly.Location);
        foreach (var argument in (string[])["-explicit", "only", "-method", $"{type.FullName}.{method}", "-noColor"])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
