using Sisyphus.Bench;

return args switch
{
    ["overhead", var image, ..] => await Overhead.RunAsync(image, args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 20),
    ["stdout", var image] => await Memory.RunAsync(image, Memory.StandardOutput),
    ["tree", var image] => await Memory.RunAsync(image, Memory.Tree),
    ["queue", var folder] => await QueueBench.RunAsync(folder),
    ["broker", var address] => await BrokerBench.RunAsync(address),
    ["takeover", var address, .. var numbers] => await TakeoverBench.RunAsync(address, Number(numbers, 0, 9), Number(numbers, 1, 10)),
    ["takeover-holder", var address, var lease] => await TakeoverBench.HoldAsync(address, int.Parse(lease, System.Globalization.CultureInfo.InvariantCulture)),
    ["stores", var root, .. var numbers] => await StoreBench.RunAsync(root, Number(numbers, 0, 4096), Number(numbers, 1, 20_000), Number(numbers, 2, 3)),
    ["publish", var root, .. var numbers] => await PublishBench.RunAsync(root, Number(numbers, 0, 256), Number(numbers, 1, 500), Number(numbers, 2, 5)),
    ["queue-sender", var path, var count] => await QueueBench.SendSlowlyAsync(path, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    _ => Usage(),
};

static int Number(string[] numbers, int index, int otherwise) =>
    index < numbers.Length ? int.Parse(numbers[index], System.Globalization.CultureInfo.InvariantCulture) : otherwise;

static int Usage()
{
    Console.Error.WriteLine("""
        usage: dotnet run -c Release --project bench/Sisyphus.Bench -- overhead IMAGE [PAIRS]
               dotnet run -c Release --project bench/Sisyphus.Bench -- stdout IMAGE
               dotnet run -c Release --project bench/Sisyphus.Bench -- tree IMAGE
               dotnet run -c Release --project bench/Sisyphus.Bench -- queue FOLDER
               dotnet run -c Release --project bench/Sisyphus.Bench -- broker ADDRESS
               dotnet run -c Release --project bench/Sisyphus.Bench -- takeover ADDRESS [LEASE_SECONDS [ROUNDS]]
               dotnet run -c Release --project bench/Sisyphus.Bench -- stores CLONE [MIB [FILES [ROUNDS]]]
               dotnet run -c Release --project bench/Sisyphus.Bench -- publish CLONE [MIB [FILES [ROUNDS]]]

        overhead  A task of one command against create, start, wait and remove called directly, alternating.
        stdout    Peak memory of this process while a task writes 2 GiB to its standard output.
        tree      Peak memory of this process while a task publishes a directory of 2 GiB.
        queue     Sends, claims and wakes of a queue file in FOLDER, up to a depth of 1,000,000.
        broker    Sends of 1 KiB over the broker at ADDRESS (amqp://...) beside a plain client, alternating; claims and cancels.
        takeover  From SIGKILL of a node to the claim of its task by another, over the broker at ADDRESS.
        stores    Copies of a file of MIB and of FILES of 4 KiB to and from an emulator of Google Cloud Storage beside gcloud and curl, alternating.
                  CLONE is this repository, built with -c Release; GNU time, curl and gcloud are needed.
        publish   Exclusive publishing beside "publish": "direct", alternating, to a folder and to the same emulator: one output of 4 KiB, FILES of them, one of MIB.

        IMAGE is local and has true, dd and sh, as alpine and busybox do.
        """);
    return 2;
}
