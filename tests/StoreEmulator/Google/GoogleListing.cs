using System.Globalization;
using System.Text;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>https://cloud.google.com/storage/docs/json_api/v1/objects/list.</summary>
internal static class GoogleListing
{
    public static Task AnswerAsync(GoogleRequest request, GoogleBucket bucket, GoogleEmulator emulator)
    {
        var size = Math.Min(emulator.Options.PageSize, int.TryParse(request.Query("maxResults"), CultureInfo.InvariantCulture, out var asked) && asked > 0 ? asked : 1000);
        var prefix = request.Query("prefix") ?? "";
        var delimiter = request.Query("delimiter") is { Length: > 0 } text ? text : null;
        var after = string.IsNullOrEmpty(request.Query("pageToken")) ? null : TokenToName(request.Query("pageToken")!);
        List<object> items = [];
        List<string> prefixes = [];
        string? last = null;
        var more = false;
        foreach (var there in bucket.All)
        {
            if (!there.Name.StartsWith(prefix, StringComparison.Ordinal) || Utf8Order.Instance.Compare(there.Name, request.Query("startOffset") ?? "") < 0)
                continue;
            var cut = delimiter is null ? -1 : there.Name.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            var entry = cut < 0 ? there.Name : there.Name[..(cut + delimiter!.Length)];
            if (entry == last || (after is not null && Utf8Order.Instance.Compare(entry, after) <= 0))
                continue;
            if (items.Count + prefixes.Count == size)
            {
                more = true;
                break;
            }
            last = entry;
            if (cut < 0 || (request.Query("includeTrailingDelimiter") == "true" && entry == there.Name))
                items.Add(there.ToJson(emulator.Address).Where(pair => pair.Value is not null).ToDictionary());
            if (cut >= 0)
                prefixes.Add(entry);
        }
        return Json.SendAsync(request, new Dictionary<string, object?>
        {
            ["kind"] = "storage#objects",
            ["items"] = items.Count > 0 ? items : null,
            ["prefixes"] = prefixes.Count > 0 ? prefixes : null,
            ["nextPageToken"] = more ? Convert.ToBase64String(Encoding.UTF8.GetBytes(last!)) : null,
        });
    }

    private static string TokenToName(string token)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(token));
        }
        catch (FormatException)
        {
            throw GoogleError.Invalid("Invalid page token");
        }
    }
}
