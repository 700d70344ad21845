using System.Diagnostics;

namespace Sisyphus.Tests.Unit.Containers.Registries;

/// <summary>A folder with a docker configuration and credential helpers that are small shell scripts.</summary>
internal sealed class HelperFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sisyphus-helpers-");

    public string Path => _folder.FullName;

    public string ConfigFile => System.IO.Path.Combine(Path, "config.json");

    /// <summary>What the last helper was asked: its arguments and its input.</summary>
    public string Asked => File.Exists(AskedFile) ? File.ReadAllText(AskedFile) : "";

    private string AskedFile => System.IO.Path.Combine(Path, "asked");

    public void Configure(string json) => File.WriteAllText(ConfigFile, json);

    /// <param name="script">What it does after it has noted what it was asked.</param>
    public void AddHelper(string name, string script)
    {
        var text = System.IO.Path.Combine(Path, name + ".txt");
        var program = System.IO.Path.Combine(Path, "docker-credential-" + name);
        File.WriteAllText(text, $"#!/bin/sh\n{{ printf '%s ' \"$@\"; cat; }} > '{AskedFile}'\n{script}\n");
        // Written by another process: a program that this one had open for writing could still be so in a child that another test starts just now.
        using var copy = Process.Start("/bin/sh", ["-c", "cp \"$0\" \"$1\" && chmod +x \"$1\"", text, program]);
        copy.WaitForExit();
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
