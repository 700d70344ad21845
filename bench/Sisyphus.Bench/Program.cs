using Sisyphus.Bench;

return args switch
{
    ["overhead", var image, ..] => await Overhead.RunAsync(image, args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 20),
    ["stdout", var image] => await Memory.RunAsync(image, Memory.StandardOutput),
    ["tree", var image] => await Memory.RunAsync(image, Memory.Tree),
    ["queue", var folder] => await QueueBench.RunAsync(folder),
    ["broker", var address] => await BrokerBench.RunAsync(address),
    ["queue-sender", var path, var count] => await QueueBench.SendSlowlyAsync(path, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: dotnet run -c Release --project bench/Sisyphus.Bench -- overhead IMAGE [PAIRS]
               dotnet run -c Release --project bench/Sisyphus.Bench -- stdout IMAGE
               dotnet run -c Release --project bench/Sisyphus.Bench -- tree IMAGE
               dotnet run -c Release --project bench/Sisyphus.Bench -- queue FOLDER
               dotnet run -c Release --project bench/Sisyphus.Bench -- broker ADDRESS

        overhead  A task of one command against create, start, wait and remove called directly, alternating.
        stdout    Peak memory of this process while a task writes 2 GiB to its standard output.
        tree      Peak memory of this process while a task publishes a directory of 2 GiB.
        queue     Sends, claims and wakes of a queue file in FOLDER, up to a depth of 1,000,000.
        broker    Sends of 1 KiB over the broker at ADDRESS (amqp://...) beside a plain client, alternating; claims and cancels.

        IMAGE is local and has true, dd and sh, as alpine and busybox do.
        """);
    return 2;
}
