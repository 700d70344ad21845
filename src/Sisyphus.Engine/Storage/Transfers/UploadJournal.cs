using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Remembers uploads that were begun, so that another process can go on with them: a file each, readable for its owner only, since it may be a key to the object.</summary>
/// <param name="folder">Null: remembered as long as the upload's own call lasts.</param>
internal sealed class UploadJournal(string? folder, TimeProvider time)
{
    /// <summary>Google's sessions live a week; nobody's live longer without being told so.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromDays(7);

    /// <summary>Below it, sending it again is quicker than to remember it.</summary>
    public const long MinSize = 16L * 1024 * 1024;

    /// <summary>The state of an upload of just this file, as it is now, to this place. What can't be remembered is no error.</summary>
    public UploadState Open(FileStream file, ObjectLocation target)
    {
        if (folder is null || file.Length < MinSize)
            return new UploadState();
        var path = Path.Combine(folder, NameOf(file, target));
        return new UploadState(Read(path), token => Write(path, token));
    }

    private static string NameOf(FileStream file, ObjectLocation target)
    {
        var identity = new StringBuilder();
        foreach (var part in (string[])[target.Store.Name, target.Bucket, target.Key, Path.GetFullPath(file.Name), file.Length.ToString(CultureInfo.InvariantCulture), File.GetLastWriteTimeUtc(file.SafeFileHandle).Ticks.ToString(CultureInfo.InvariantCulture)])
            identity.Append(CultureInfo.InvariantCulture, $"{part.Length}:{part}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity.ToString())));
    }

    private string? Read(string path)
    {
        try
        {
            foreach (var old in Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [])
            {
                if (File.GetLastWriteTimeUtc(old) < time.GetUtcNow().UtcDateTime - MaxAge)
                    File.Delete(old);
            }
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            return null;
        }
    }

    private void Write(string path, string? token)
    {
        try
        {
            if (token is null)
            {
                File.Delete(path);
                return;
            }
            Directory.CreateDirectory(folder!);
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var unfinished = $"{path}.{Guid.NewGuid():N}";
            using (var file = new StreamWriter(unfinished, options))
                file.Write(token);
            File.Move(unfinished, path, overwrite: true);
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            // The upload itself does not depend on it.
        }
    }
}
