using System.Management.Automation;
using System.Text;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Content", DefaultParameterSetName = "Path")]
public sealed class GetContentCommand : ItemCommand
{
    [Parameter]
    public SwitchParameter Raw { get; set; }

    [Parameter]
    [Alias("First", "Head")]
    public long TotalCount { get; set; } = -1;

    [Parameter]
    [Alias("Last")]
    public int Tail { get; set; } = -1;

    [Parameter]
    [TextEncoding]
    public Encoding Encoding { get; set; } = TextEncodings.Default;

    [Parameter]
    public SwitchParameter AsByteStream { get; set; }

    protected override void Process(string path)
    {
        foreach (var item in Resolve(path))
        {
            if (item.Provider.Name == "FileSystem")
                Try(item.Path, () => Read(item));
            else
                ReadFromProvider(item.Path);
        }
    }

    private void Read(PathInfo file)
    {
        if (AsByteStream)
        {
            var bytes = File.ReadAllBytes(file.ProviderPath);
            WriteObject(bytes, enumerateCollection: !Raw);
        }
        else if (Raw)
        {
            WriteObject(Marked(File.ReadAllText(file.ProviderPath, Encoding), file, 1));
        }
        else
        {
            var lines = Tail < 0 ? File.ReadLines(file.ProviderPath, Encoding) : LastLines(file.ProviderPath);
            var number = 0L;
            foreach (var line in lines.TakeWhile(_ => TotalCount < 0 || number < TotalCount))
                WriteObject(Marked(line, file, ++number));
        }
    }

    private Queue<string> LastLines(string path)
    {
        var last = new Queue<string>();
        foreach (var line in File.ReadLines(path, Encoding))
        {
            last.Enqueue(line);
            if (last.Count > Tail)
                last.Dequeue();
        }

        return last;
    }

    // Later commands of the pipeline take the path from the line's properties, as in pwsh.
    private static PSObject Marked(string line, PathInfo file, long number)
    {
        var marked = new PSObject(line);
        marked.Properties.Add(new PSNoteProperty("PSPath", file.Path));
        marked.Properties.Add(new PSNoteProperty("PSChildName", System.IO.Path.GetFileName(file.ProviderPath)));
        marked.Properties.Add(new PSNoteProperty("ReadCount", number));
        return marked;
    }

    private void ReadFromProvider(string path)
    {
        foreach (var reader in InvokeProvider.Content.GetReader([path], Force, literalPath: true))
        {
            using (reader)
            {
                while (reader.Read(readCount: 1) is { Count: > 0 } block)
                    WriteObject(block, enumerateCollection: true);
            }
        }
    }
}
