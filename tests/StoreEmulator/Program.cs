using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.StoreEmulator.Web;

// For scripts: prints its address and ends with SIGTERM. Arguments: s3 for the protocol of AWS, and names of buckets to begin with.
// Or: tokens, and a role that may be assumed; prints the address of S3, and that of the services that hand out credentials for it.
// Or: web, and PATH=CONTENT for each file of a web server.
if (args is ["s3", .. var names])
{
    await using var s3 = await S3Emulator.StartAsync();
    foreach (var bucket in names)
        s3.CreateBucket(bucket);
    Console.WriteLine(s3.Address);
    await s3.WaitForShutdownAsync();
    return;
}
if (args is ["tokens", var role, .. var buckets])
{
    await using var s3 = await S3Emulator.StartAsync();
    await using var tokens = await TokenEmulator.StartAsync(s3.Options);
    tokens.Roles[role] = "";
    tokens.WebTokens["token"] = true;
    tokens.SignedOn["login"] = true;
    foreach (var bucket in buckets)
        s3.CreateBucket(bucket);
    Console.WriteLine(s3.Address);
    Console.WriteLine(tokens.Address);
    await s3.WaitForShutdownAsync();
    return;
}
if (args is ["web", .. var files])
{
    await using var web = await WebServer.StartAsync();
    foreach (var file in files)
    {
        var at = file.IndexOf('=', StringComparison.Ordinal);
        web.Files["/" + file[..at]] = new WebFile(System.Text.Encoding.UTF8.GetBytes(file[(at + 1)..])) { ETag = $"\"{file.GetHashCode(StringComparison.Ordinal):x}\"" };
    }
    Console.WriteLine(web.Address);
    await web.WaitForShutdownAsync();
    return;
}
await using var emulator = await GoogleEmulator.StartAsync();
foreach (var bucket in args)
    emulator.CreateBucket(bucket);
Console.WriteLine(emulator.Address);
await emulator.WaitForShutdownAsync();
