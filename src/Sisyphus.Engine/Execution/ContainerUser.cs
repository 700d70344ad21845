using System.Globalization;
using System.Text;

using Sisyphus.Engine.Containers;

namespace Sisyphus.Engine.Execution;

/// <summary>The numeric owner of the files that we put into a container.</summary>
internal readonly record struct ContainerUser(int Uid, int Gid)
{
    public static readonly ContainerUser Root = new(0, 0);

    /// <summary>Understands <c>uid</c>, <c>uid:gid</c> and the names of the image's own <c>/etc/passwd</c> and <c>/etc/group</c>; an unknown name is left for the engine to refuse at the start.</summary>
    public static async Task<ContainerUser> ResolveAsync(IContainer container, string? user, CancellationToken cancellationToken)
    {
        if (user is null)
            return Root;
        var parts = user.Split(':', 2);
        var group = parts.Length == 2 ? parts[1] : null;
        if (Number(parts[0]) is { } uid)
        {
            var gid = group is null ? 0 : Number(group) ?? await FindAsync(container, "/etc/group", group, field: 2, cancellationToken).ConfigureAwait(false);
            return new ContainerUser(uid, gid ?? 0);
        }

        var foundUid = await FindAsync(container, "/etc/passwd", parts[0], field: 2, cancellationToken).ConfigureAwait(false);
        var foundGid = group is null
            ? await FindAsync(container, "/etc/passwd", parts[0], field: 3, cancellationToken).ConfigureAwait(false)
            : Number(group) ?? await FindAsync(container, "/etc/group", group, field: 2, cancellationToken).ConfigureAwait(false);
        return foundUid is null ? Root : new ContainerUser(foundUid.Value, foundGid ?? 0);
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static async Task<int?> FindAsync(IContainer container, string database, string name, int field, CancellationToken cancellationToken)
    {
        var file = await ContainerFile.OpenAsync(container, database, cancellationToken).ConfigureAwait(false);
        if (file is null)
            return null;
        await using (file.ConfigureAwait(false))
        {
            using var reader = new StreamReader(file.Content, Encoding.UTF8);
            while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
            {
                var fields = line.Split(':');
                if (fields.Length > field && fields[0] == name)
                    return Number(fields[field]);
            }
        }

        return null;
    }
}
