using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Documents;

/// <summary>Document files: what is read and how they are written.</summary>
internal static class DocumentFile
{
    public static IReadOnlyList<TaskDocument> Read(string path) => TaskDocumentReader.ReadAll(File.ReadAllBytes(path));

    /// <summary>Each document of the file with its own errors.</summary>
    public static IReadOnlyList<TaskDocumentReading> Examine(string path) => TaskDocumentReader.Examine(File.ReadAllBytes(path));

    /// <summary>One document as an object, several as an array; the file appears whole or not at all.</summary>
    public static void Write(string path, IReadOnlyList<TaskDocument> documents)
    {
        ReplaceableFile.Require(path);
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew))
                Write(file, documents);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void Write(FileStream file, IReadOnlyList<TaskDocument> documents)
    {
        if (documents.Count > 1)
            file.Write("[\n"u8);
        for (var i = 0; i < documents.Count; i++)
        {
            if (i > 0)
                file.Write(",\n"u8);
            file.Write(TaskDocumentWriter.Write(documents[i], indented: true));
        }
        file.Write(documents.Count > 1 ? "\n]\n"u8 : "\n"u8);
    }
}
